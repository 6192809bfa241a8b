import { algorithmOf, type State } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Demand, type Evaluation, Mode } from '../store/contract.ts'
import { blockedUntil } from '../store/cooldown.ts'
import { countsRepeats } from '../store/decide.ts'
import { evaluationAt, limitInForce, remaining, resetAt, ruleInForce, waitFor } from '../store/reading.ts'
import { type Check, isReported } from './check.ts'
import type { CheckResult } from './check-result.ts'
import type { PolicyVerdict, Reason } from './policy-verdict.ts'

/** What every policy of a check said, frozen. */
export function readVerdicts({ check, evaluation }: CheckResult): readonly PolicyVerdict[] {
  return Object.freeze(check.policies.map((_, at) => Object.freeze(readVerdict(at, check, evaluation))))
}

/** What the policy at a place says of a request: of several counters, the one that refuses longest, else the key's own. */
export function readVerdict(at: number, check: Check, evaluation: Evaluation): PolicyVerdict {
  const own = readDemand(at, at, check, evaluation)
  const extras = check.extras?.[at]
  if (extras === undefined) return own
  let said = own
  for (const other of [extras.addressCeiling, extras.lease]) {
    if (other < 0) continue
    const more = readDemand(at, other, check, evaluation)
    if (!more.allowed && (said.allowed || more.retryAfter > said.retryAfter)) said = more
  }
  return said
}

/** What the demand at one place says for the policy at another; the limit is the policy's own. */
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
    resetAt: seconds(resetAt(demand, state, evaluation)),
    retryAfter: allowed ? 0 : seconds(waitOf(policy, at, check, state, evaluation)),
    key: demand.subject,
    mode: isReported(check, policy) ? 'shadow' : 'enforce',
  }
}

/** Microseconds until all counters of a policy let its cost pass. */
export function longestWait(policy: number, check: Check, evaluation: Evaluation): number {
  const { addressCeiling = -1, lease = -1 } = check.extras?.[policy] ?? {}
  let longest = 0
  for (const at of [policy, addressCeiling, lease]) {
    if (at < 0) continue
    const wait = waitOf(policy, at, check, evaluation.states[at] ?? [], evaluationAt(evaluation, at))
    longest = Math.max(longest, wait)
  }
  return longest
}

/** Microseconds until the counter at a place lets the policy's cost pass. */
export function waitOf(
  policy: number,
  at: number,
  check: Check,
  state: State,
  evaluation: Evaluation,
): number {
  const demand = asRetried(policy, at, check)
  if (evaluation.repeated && !countsRepeats(demand.rule)) return 0
  return isAboveShare(policy, demand, check) ? 1e6 : waitFor(demand, state, evaluation)
}

/** Whether a cost is more than this process's share of a limit, but not more than the limit: the store will take it, once it is back. */
function isAboveShare(policy: number, { cost, rule }: Demand, { policies }: Check): boolean {
  return cost > rule.capacity && cost <= (policies[policy] as CompiledPolicy).capacity
}

/** The demand at a place as a retry makes it: what guards before have charged this time, it asks for again. */
function asRetried(policy: number, at: number, { demands, extras }: Check): Demand {
  const demand = demands[at] as Demand
  const own = extras?.[policy]
  // What is in flight by then is over, and what is held asks for all of it already.
  const isWhole = own === undefined || own.paid === 0 || at === own.lease || demand.mode === Mode.HOLD
  if (isWhole || algorithmOf(demand.rule).isFlight) return demand
  return { ...demand, cost: demand.cost + own.paid }
}

function reasonOf(policy: number, at: number, check: Check, state: State, evaluation: Evaluation): Reason {
  const demand = asRetried(policy, at, check)
  const { rule, cost } = demand
  if (isAboveShare(policy, demand, check)) return 'limited'
  if (cost > rule.capacity) return 'cost-exceeds-limit'
  if (algorithmOf(rule).isQuota) return 'quota-exceeded'
  // The refusal that starts a cool-down is itself for the limit's sake; so is what is known to be refused while the store is
  // away, and is kept so by a cool-down of ours.
  if (rule.cooldown > 0 && evaluation.now < blockedUntil(state) && evaluation.starts[at] !== true)
    return 'blocked'
  return ruleInForce(demand, evaluation) === rule ? 'limited' : 'penalized'
}

/** Whole seconds, rounded up. */
export function seconds(micros: number): number {
  return micros === Number.POSITIVE_INFINITY ? micros : Math.ceil(micros / 1e6)
}
