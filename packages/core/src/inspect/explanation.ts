import type { ControlEntry } from '../policy/control-entry.ts'
import type { Unreached } from '../policy/reachability.ts'
import type { Hop } from '../request/client-ip.ts'
import type { Decision } from '../check/decision.ts'
import type { FairShare } from './fair-share.ts'
import type { PolicyVerdict } from '../check/verdict-reader.ts'

/** One policy in an explanation. */
export interface PolicyExplanation {
  readonly policy: string
  readonly algorithm: string
  readonly limit: number
  /** What a unit is; undefined if the policy does not say. */
  readonly unit: string | undefined
  /** Why the policy does not count the request; undefined when it does. */
  readonly exemption: string | undefined
  /** The owner of the counter, and how Halt found it; undefined when the policy counts nothing. */
  readonly key: string | undefined
  readonly keyFoundBy: string | undefined
  readonly verdict: PolicyVerdict | undefined
  /** Units left now, and after the request if it is allowed; undefined when no counter was read. */
  readonly before: number | undefined
  readonly after: number | undefined
  /** When the cool-down ends: Unix seconds, rounded up; 0 when there is none. */
  readonly blockedUntil: number
  /** How long each of several costs has to wait if no other request comes. */
  readonly waits: readonly CostWait[]
  /** The line in front of a token bucket. Undefined when nobody waits for this counter. */
  readonly line: Line | undefined
  /** How the tenant stands among those who share the counter fairly. Undefined for a policy without `fair`. */
  readonly fair: FairShare | undefined
  /** Units of a quota that calls hold and have not used yet; 0 for other policies. */
  readonly held: number
  /** The entries of operators whose numbers the policy has now: everybody's, then the client's own. */
  readonly control: readonly ControlEntry[]
}

/** The units that were charged and wait for their turn. A settlement that overdraws a counter counts as well. */
export interface Line {
  /** How many units wait, rounded up: the number of callers if each of them asks for one unit. */
  readonly units: number
  /** Seconds until the last of them starts, exact to the microsecond. */
  readonly seconds: number
}

/** How long a cost has to wait. */
export interface CostWait {
  readonly cost: number
  /** Seconds, exact to the microsecond; 0 when the cost passes now, `Infinity` when it can never pass. */
  readonly seconds: number
}

/** Why a request would be allowed or refused: the key and how it was found, each proxy hop, each policy. */
export interface Explanation {
  /**
   * Undefined for an identity under which no policy counts. {@link Explanation.unreachable} names the identities to use
   * instead.
   */
  readonly decision: Decision | undefined
  /** The policies that never count requests under the identity, and what names their counters. Empty for a request. */
  readonly unreachable: readonly Unreached[]
  /** The entry of an operator that blocks the client or lets it pass; undefined when none does. */
  readonly control: ControlEntry | undefined
  /** The hops from the socket to the client, and why Halt trusted each of them or did not. */
  readonly hops: readonly Hop[]
  readonly policies: readonly PolicyExplanation[]
  /** The whole explanation as text. */
  toString(): string
}
