import { type State, algorithmOf, blockedUntil } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { PolicyMode } from '../policy/policy.ts'
import { type Demand, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import {
  evaluationAt,
  evaluationAtStart,
  isHeldUp,
  limitInForce,
  remaining,
  resetAt,
  ruleInForce,
  waitFor,
  waitForShare,
} from '../store/reading.ts'
import { countsRepeats } from '../store/beside-demands.ts'
import { fewestOf, isReserved } from '../store/terms.ts'
import type { CheckResult } from './check-result.ts'
import { type Check, demandsAt, isShadowed } from './check.ts'

/**
 * Why a request was allowed or refused.
 *
 * Allowed: `"ok"`; `"exempt"`, not counted. Refused by a number: `"limited"`; `"quota-exceeded"`, until the period ends; `"held"`,
 * calls that run hold what is left of the quota; `"cost-exceeds-limit"`, the cost is above the capacity, so waiting does not help; `"reserved"`, the rest is kept for more
 * important requests; `"fair-share"`, the rest is for tenants that had less. Refused for a time: `"blocked"`, by a cool-down or an
 * operator; `"penalized"`, the limit is reduced because of earlier violations. Refused otherwise: `"missing-key"`, with `onMissingKey: "deny"`; `"policy-error"`, the policy's function
 * failed; `"store-error"`, the store failed and `onStoreError` is `"closed"`.
 */
export type Reason =
  | 'ok'
  | 'exempt'
  | 'limited'
  | 'blocked'
  | 'penalized'
  | 'reserved'
  | 'fair-share'
  | 'quota-exceeded'
  | 'held'
  | 'cost-exceeds-limit'
  | 'missing-key'
  | 'policy-error'
  | 'store-error'

/** The verdict of one policy on a request. */
export interface PolicyVerdict {
  /** The policy's name. */
  readonly policy: string
  /** Whether this policy lets the request pass. */
  readonly allowed: boolean
  /** Why this policy lets the request pass, or refuses it. */
  readonly reason: Reason
  /** Units per window, under the penalty in force. */
  readonly limit: number
  /** Whole units left after this request. */
  readonly remaining: number
  /** When the counter is back to zero (the bucket is full, or the counted units have left the window): Unix seconds, rounded up. */
  readonly resetAt: number
  /** Whole seconds until the same request passes this policy; 0 when it passed, and for `"missing-key"`; `Infinity` when it can never pass. */
  readonly retryAfter: number
  /** The owner of the counter, readable by people: `ip:203.0.113.7`, `user:42`, `api-key:#…`. */
  readonly key: string
  /** Whether the verdict counts (`"enforce"`) or is only reported (`"shadow"`). */
  readonly mode: Exclude<PolicyMode, object | 'off'>
}

/** Reads the verdict of every policy of a check. The array and its verdicts are frozen. */
export function readVerdicts({ check, evaluation: whole }: CheckResult): readonly PolicyVerdict[] {
  const evaluation = evaluationAtStart(whole)
  return Object.freeze(check.policies.map((_, at) => Object.freeze(readVerdict(at, check, evaluation))))
}

/**
 * Reads the verdict of the policy at an index. Of its counters, the one that refuses longest decides, else the key's own
 * counter.
 */
export function readVerdict(at: number, check: Check, evaluation: Evaluation): PolicyVerdict {
  const own = readDemand(at, at, check, evaluation)
  const extras = check.extras?.[at]
  if (extras === undefined) return own
  let verdict = own
  for (const other of [extras.at.address, extras.at.flight]) {
    if (other === undefined) continue
    const more = readDemand(at, other, check, evaluation)
    if (!more.allowed && (verdict.allowed || more.retryAfter > verdict.retryAfter)) verdict = more
  }
  return extras.tenant === undefined ? verdict : withShare(at, extras.tenant, verdict, check, evaluation)
}

/** The verdict on a pool, for the tenant that asked, whose share may refuse what the pool has left. */
function withShare(
  at: number,
  tenant: string,
  verdict: PolicyVerdict,
  check: Check,
  evaluation: Evaluation,
): PolicyVerdict {
  const own = { ...verdict, key: tenant }
  const demand = check.demands[at]!
  const wait = evaluation.passes[at] === true ? 0 : waitForShare(demand, at, evaluation)
  if (wait === 0) return own
  const isFull = waitFor(demand, evaluation.states[at] ?? [], evaluationAt(evaluation, at)) > 0
  const isRefused = demandsAt(check, at).some(other => (other === at ? isFull : !evaluation.passes[other]))
  const waits = demandsAt(check, at).map(other => waitAt(at, other, check, evaluation))
  if (isRefused && Math.max(...waits) >= wait) return own
  // What is left is for others.
  return { ...own, allowed: false, reason: 'fair-share', remaining: 0, retryAfter: Math.ceil(wait / 1e6) }
}

/** Reads the verdict of one demand for its policy. The limit comes from the policy's own demand. */
export function readDemand(policy: number, at: number, check: Check, whole: Evaluation): PolicyVerdict {
  const evaluation = evaluationAt(whole, at)
  const { demands } = check
  const demand = demands[at] as Demand
  const state = evaluation.states[at] ?? []
  const allowed = evaluation.passes[at] === true
  return {
    policy: (check.policies[policy] as CompiledPolicy).name,
    allowed,
    reason: allowed ? 'ok' : reasonOf(policy, at, check, state, evaluation),
    limit: limitInForce(demands[policy] as Demand, evaluation.states[policy] ?? [], evaluation),
    remaining: remaining(demand, state, evaluation),
    resetAt: Math.ceil(resetAt(demand, state, evaluation) / 1e6),
    retryAfter: allowed ? 0 : Math.ceil(waitOf(policy, at, check, state, evaluation) / 1e6),
    key: demand.subject,
    mode: isShadowed(check, policy) ? 'shadow' : 'enforce',
  }
}

/** Microseconds until all counters of a policy let its cost pass. */
export function longestWait(policy: number, check: Check, evaluation: Evaluation): number {
  let longest = waitForShare(check.demands[policy]!, policy, evaluation)
  for (const at of demandsAt(check, policy))
    longest = Math.max(longest, waitAt(policy, at, check, evaluation))
  return longest
}

function waitAt(policy: number, at: number, check: Check, evaluation: Evaluation): number {
  return waitOf(policy, at, check, evaluation.states[at] ?? [], evaluationAt(evaluation, at))
}

/** Microseconds until the counter of one demand lets the policy's cost pass. */
function waitOf(policy: number, at: number, check: Check, state: State, evaluation: Evaluation): number {
  const demand = asRetried(policy, at, check)
  if (evaluation.repeated && !countsRepeats(demand.rule)) return 0
  return isAboveShare(policy, demand, check) ? 1e6 : waitFor(demand, state, evaluation)
}

/**
 * Whether a cost exceeds this process's share of a limit but not the limit itself. The store will accept it after the
 * outage.
 */
function isAboveShare(policy: number, demand: Demand, { policies }: Check): boolean {
  const units = fewestOf(demand)
  return units > demand.rule.capacity && units <= (policies[policy] as CompiledPolicy).capacity
}

/** The demand a retry would make: the full cost, since earlier guards will charge again. */
function asRetried(policy: number, at: number, { demands, extras }: Check): Demand {
  const demand = demands[at] as Demand
  const own = extras?.[policy]
  // Permits will have ended by then, and held demands already ask for the full cost.
  const isWhole = own === undefined || own.paid === 0 || at === own.at.flight || demand.mode === Mode.DEFER
  if (isWhole || algorithmOf(demand.rule).isFlight) return demand
  return { ...demand, cost: demand.cost + own.paid }
}

function reasonOf(policy: number, at: number, check: Check, state: State, evaluation: Evaluation): Reason {
  const demand = asRetried(policy, at, check)
  const { rule } = demand
  if (isAboveShare(policy, demand, check)) return 'limited'
  if (isHeldUp(demand, state, evaluation)) return 'held'
  if (fewestOf(demand) > rule.capacity) return 'cost-exceeds-limit'
  if (algorithmOf(rule).isQuota) return 'quota-exceeded'
  if (isReserved(demand, ruleInForce(demand, evaluation), state, evaluation.now)) return 'reserved'
  // The refusal that starts a cool-down is reported as "limited", not "blocked". So is a key we keep refusing during an
  // outage.
  if (rule.cooldown > 0 && evaluation.now < blockedUntil(state) && evaluation.starts[at] !== true)
    return 'blocked'
  return ruleInForce(demand, evaluation) === rule ? 'limited' : 'penalized'
}
