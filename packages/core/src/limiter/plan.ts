import { codes, type Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type FoundKey, SHARED } from '../request/identity.ts'
import { isChargedAlone } from '../store/known-groups.ts'

/** The facts about a list of policies that are the same for every request. They are compiled once per list. */
export interface Plan {
  readonly policies: readonly CompiledPolicy[]
  /** The policies that are not switched off. */
  readonly counting: readonly CompiledPolicy[]
  /**
   * The rule, if the plan is one counter that every request is charged on at once; undefined if it is more. If `isByRoute`, it is
   * the rule of identities, and the policy has a rule for each route.
   */
  readonly lone: Rule | undefined
  /** Whether the plan is one policy that counts each route by itself. */
  readonly isByRoute: boolean
  /** The subject of every client where that counter serves all; undefined where each client has a counter of its own. */
  readonly shared: string | undefined
  /** Whether this process may take units of some policy in advance. */
  readonly isLeased: boolean
  /** For each policy: whether its key is the client's address, and no request is exempt but one from a private address. */
  readonly byAddress: readonly boolean[]
  /** Whether that is so for some policy. */
  readonly someByAddress: boolean
  /** Whether all of those policies count private addresses, too. */
  readonly countsPrivate: boolean
}

/** The facts about a limiter that its plans need. */
export interface PlanContext {
  /** Whether the limiter has penalties, which a store decides with a whole group. */
  readonly hasPenalty: boolean
  /** The limiter's `exemptPrivateIps`. */
  readonly exemptPrivateIps: boolean | undefined
  /** Whether a refusal is a violation of the client. A lease makes some come early, so no policy is leased then. */
  readonly scoresRefusals: boolean
  /** Whether other processes count in the same store. Otherwise a lease would spare nothing. */
  readonly isShared: boolean
  /** Called when a list of policies meets its first request. */
  readonly noticeUse: ((policies: readonly CompiledPolicy[]) => void) | undefined
}

/** Compiles a list of policies. */
function compilePlan(
  policies: readonly CompiledPolicy[],
  { hasPenalty, scoresRefusals, exemptPrivateIps, isShared }: PlanContext,
): Plan {
  const counting = policies.filter(({ off }) => !off)
  const [only] = policies
  const lone =
    policies.length === 1 && only !== undefined && !hasPenalty && isLone(only)
      ? only.rule(undefined)
      : undefined
  const byAddress = policies.map(isByAddress)
  return {
    policies,
    counting: counting.length === policies.length ? policies : counting,
    lone,
    isByRoute: policies.length === 1 && only?.isPerRoute === true,
    shared: only?.keyStrategy === 'shared' ? SHARED : undefined,
    isLeased: isShared && !scoresRefusals && counting.some(({ lease }) => lease !== undefined),
    byAddress,
    someByAddress: byAddress.includes(true),
    countsPrivate: policies.every(
      (policy, i) => !byAddress[i] || (policy.exemptPrivateIps ?? exemptPrivateIps) === false,
    ),
  }
}

function isLone(policy: CompiledPolicy): boolean {
  const { off, algorithm, shadow, inFlight, headroom, fair } = policy
  return (
    !off &&
    isChargedAlone(codes[algorithm]) &&
    shadow === 0 &&
    inFlight === undefined &&
    headroom === undefined &&
    fair === undefined
  )
}

function isByAddress({ off, keyStrategy, keyExtractor, exemptions }: CompiledPolicy): boolean {
  return !off && keyStrategy === 'ip' && keyExtractor === undefined && exemptions === undefined
}

/** The key of an identity for a policy. */
export function keyOfIdentity(subject: string, policy: CompiledPolicy): FoundKey {
  const how = 'the given identity'
  if (policy.keyStrategy !== 'shared') return { subject, how, unverified: false }
  const weight = typeof policy.fair?.weight === 'number' ? policy.fair.weight : 1
  return { subject: SHARED, how, unverified: false, tenant: policy.fair && { subject, weight } }
}

/** The plans of a limiter, each compiled once. */
export class Plans {
  readonly #context: PlanContext
  readonly #plans = new WeakMap<readonly CompiledPolicy[], Plan>()
  #last: Plan | undefined

  constructor(context: PlanContext) {
    this.#context = context
  }

  /** The plan of a list of policies. */
  of(policies: readonly CompiledPolicy[]): Plan {
    if (this.#last?.policies === policies) return this.#last
    let plan = this.#plans.get(policies)
    if (plan === undefined) {
      this.#context.noticeUse?.(policies)
      this.#plans.set(policies, (plan = compilePlan(policies, this.#context)))
    }
    return (this.#last = plan)
  }
}
