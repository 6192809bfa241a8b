import type { Check } from '../check/check.ts'
import type { Ask } from '../check/check-options.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { ControlEntry } from '../policy/control-entry.ts'
import type { Caller, CallerSettings } from '../request/caller.ts'
import type { ClientAddress } from '../request/client-ip.ts'
import type { FoundKey, Subject } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import type { Warn } from '../base/warnings.ts'
import type { Store } from '../store/contract.ts'
import type { StoreClock } from '../store/store-clock.ts'
import type { KeyOutcome, RequestKeys } from './key-resolver.ts'
import type { Plan, Plans } from './plan.ts'

/** The entries of operators that apply to a request or to an identity. */
export interface AppliedControl {
  /** The entry that blocks the client or lets it pass. */
  readonly access: ControlEntry | undefined
  /** The entries whose numbers a policy has for a subject: everybody's, then the client's own. */
  readonly numbersOf: (policy: string, subject: string) => readonly ControlEntry[]
}

/** The answer where nobody has set anything. */
export const NO_CONTROL: AppliedControl = Object.freeze({ access: undefined, numbersOf: () => NONE })
const NONE: readonly ControlEntry[] = Object.freeze([])

/** The answer of a gate about a client. */
export interface Passage {
  /** The entry that blocks the client or lets it pass. */
  readonly entry?: ControlEntry | undefined
  /** Whether nobody can tell who the client is, and it may be blocked. */
  readonly isLost?: boolean | undefined
  /** The policies with everybody's numbers that hold now. */
  readonly policies: readonly CompiledPolicy[]
  /** The facts of the request that the gate has found. */
  readonly caller?: Caller | undefined
  readonly client?: ClientAddress | undefined
  readonly keys?: readonly KeyOutcome[] | undefined
}

/** The part of a key that tells whose numbers hold. */
export type NumbersOwner = Pick<FoundKey, 'subject' | 'plain'>

/** What operators have set: whom a limiter refuses or lets pass, and by which numbers it decides. A seam of the kernel: `control` fills it. */
export interface Gate {
  /** Says what holds for the client of a request. */
  pass(policies: readonly CompiledPolicy[], view: RequestView, ask: Ask): Passage | Promise<Passage>
  /** Says what holds for a subject. */
  passSubject(policies: readonly CompiledPolicy[], subject: Subject, ask: Ask): Passage
  /** The plan with the numbers of a client, where all policies but the `shared` ones count that client. */
  planForKey(plan: Plan, key: NumbersOwner): Plan
  /** The plan with the numbers of the clients that its policies count. */
  planForKeys(plan: Plan, keys: readonly FoundKey[]): Plan
  /** Policies with the numbers that hold now for the clients that they count. */
  numbered(policies: readonly CompiledPolicy[], keys: readonly FoundKey[]): readonly CompiledPolicy[]
  /** Whether the client of a check is blocked now, or let pass. Undefined if neither. Asks nobody. */
  accessOf(check: Check, client: Caller | Subject): 'block' | 'allow' | undefined
  /** The entries that apply to a client now. `policies` are those of the limiter, without the numbers of operators. */
  applied(
    policies: readonly CompiledPolicy[],
    client: Caller | Subject,
  ): AppliedControl | Promise<AppliedControl>
}

/** The parts of a limiter that a gate uses. */
export interface GateParts {
  readonly requestKeys: RequestKeys
  readonly callers: CallerSettings
  readonly clock: StoreClock
  readonly plans: Plans
}

/** The policies of a limiter. */
export interface LimiterPolicies {
  /** Undefined if a resolver gives the policies, so that nobody can list them. */
  readonly fixed: readonly CompiledPolicy[] | undefined
  /** Every policy that the limiter has used. */
  compiled(): Iterable<CompiledPolicy>
}

/** What brings a gate into a limiter: a `Control`. */
export interface GateSource {
  /** @internal Makes the gate of a limiter. */
  gate(parts: GateParts): Gate
  /** Notes the fixed policies of a limiter. */
  notePolicies(policies: LimiterPolicies): void
  /** @internal Notes a store whose counters obey what operators set, and warns if it is not where they set it. */
  noteStore(store: Store, warn: Warn): void
  /** @internal The entry that blocks a client or lets it pass, for a manager. */
  accessFor(subject: Subject, clock: StoreClock): ControlEntry | undefined
  /** @internal A policy with the numbers that hold now for the owner of a counter, for a manager. */
  numbered(policy: CompiledPolicy, owner: Subject, clock: StoreClock): CompiledPolicy
}
