import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Decision, type PolicyVerdict, type Reason } from './decision.ts'
import type { OnStoreError } from '../policy/policy.ts'
import { isReported, type Check } from './check.ts'
import { type Demand, Mode, type Evaluation } from '../store/contract.ts'
import type { State } from '../algorithms/index.ts'
import { blockedUntil, countsRepeats, listOf } from '../store/decide.ts'
import { limitInForce, remaining, resetAt, ruleInForce, evaluationAt, waitFor } from '../store/reading.ts'

/** Reads a store's verdict into the decision that users see. */
export function answer(
  check: Check,
  evaluation: Evaluation,
  degraded: false | OnStoreError = false,
): Decision {
  const count = check.policies.length
  if (count === 1 && check.extras === undefined) return answerOne(check, evaluation, degraded)
  const verdicts: PolicyVerdict[] = listOf(count)
  let binding = -1
  let retryAfter = 0
  for (let i = 0; i < count; i++) {
    const said = (verdicts[i] = read(i, check, evaluation))
    if (isReported(check, i)) continue
    if (said.retryAfter > retryAfter) retryAfter = said.retryAfter
    if (binding < 0 || binds(said, verdicts[binding] as PolicyVerdict)) binding = i
  }
  if (binding >= 0 && !(verdicts[binding] as PolicyVerdict).allowed) {
    let longest = -1
    for (let i = 0; i < count; i++) {
      if (isReported(check, i)) continue
      // Of those that pass, too: under a penalty that this very refusal started they may not any more.
      const wait = longestWait(i, check, evaluation)
      retryAfter = Math.max(retryAfter, seconds(wait))
      if ((verdicts[i] as PolicyVerdict).allowed || wait <= longest) continue
      longest = wait
      binding = i
    }
  }
  Object.freeze(verdicts)
  // Only shadow policies: the request passes, the first of them is shown.
  const shown =
    binding >= 0
      ? (verdicts[binding] as PolicyVerdict)
      : { ...(verdicts[0] as PolicyVerdict), allowed: true, reason: 'ok' as const }
  const cost = binding < 0 ? 0 : costOf(check.demands[binding] as Demand, evaluation)
  return new Decision(shown, retryAfter, cost, degraded, verdicts, check, evaluation)
}

// The same for the commonest question: its one verdict binds.
function answerOne(check: Check, evaluation: Evaluation, degraded: false | OnStoreError): Decision {
  const said = readDemand(0, 0, check, evaluation)
  const cost = costOf(check.demands[0] as Demand, evaluation)
  return new Decision(said, said.retryAfter, cost, degraded, Object.freeze([said]), check, evaluation)
}

function costOf({ rule, cost }: Demand, { repeated }: Evaluation): number {
  return repeated && !countsRepeats(rule) ? 0 : cost
}

/** Whose request it is about, and by which policy, where no counter decides. */
export interface Uncounted {
  readonly policy: string
  readonly limit: number
  readonly key: string
  readonly cost: number
}

const NO_VERDICTS: readonly PolicyVerdict[] = Object.freeze([])

/** A decision that lets a request in uncounted: it is exempt, or (`open`) the store is away and the policies are open. */
export function pass({ policy, limit, key, cost }: Uncounted, nowMs: number, open = false): Decision {
  const resetAt = Math.ceil(nowMs / 1000)
  const shown = {
    allowed: true,
    reason: open ? ('ok' as const) : ('exempt' as const),
    policy,
    limit,
    remaining: limit,
    resetAt,
    key,
  }
  return new Decision(shown, 0, open ? cost : 0, open ? 'open' : false, NO_VERDICTS, undefined, nowMs / 1000)
}

/** A refusal that no counter decided: no key, no policy, no store. */
export function refusal(
  reason: Reason,
  { policy, limit, key, cost }: Uncounted,
  nowMs: number,
  degraded: false | OnStoreError = false,
  retryAfter = 0,
): Decision {
  const resetAt = Math.ceil(nowMs / 1000) + retryAfter
  const said: PolicyVerdict = Object.freeze({
    policy,
    allowed: false,
    reason,
    limit,
    remaining: 0,
    resetAt,
    retryAfter,
    key,
    mode: 'enforce',
  })
  return new Decision(said, retryAfter, cost, degraded, Object.freeze([said]), undefined, nowMs / 1000)
}

function read(at: number, check: Check, evaluation: Evaluation): PolicyVerdict {
  const own = readDemand(at, at, check, evaluation)
  const extras = check.extras?.[at]
  if (extras === undefined) return own
  // Several counters, one policy: the one that refuses longest, else the key's own.
  let said = own
  for (const other of [extras.addressCeiling, extras.lease]) {
    if (other < 0) continue
    const more = readDemand(at, other, check, evaluation)
    if (!more.allowed && (said.allowed || more.retryAfter > said.retryAfter)) said = more
  }
  return said
}

/** What the demand at one place says of the policy at another; the limit is the policy's own. */
function readDemand(policy: number, at: number, check: Check, whole: Evaluation): PolicyVerdict {
  const evaluation = evaluationAt(whole, at)
  const { demands } = check
  const demand = demands[at] as Demand
  const state = evaluation.states[at] ?? []
  const allowed = evaluation.passes[at] === true
  return Object.freeze({
    policy: (check.policies[policy] as CompiledPolicy).name,
    allowed,
    reason: allowed ? 'ok' : reasonOf(policy, at, check, state, evaluation),
    limit: limitInForce(demands[policy] as Demand, evaluation.states[policy] ?? [], evaluation),
    remaining: remaining(demand, state, evaluation),
    resetAt: seconds(resetAt(demand, state, evaluation)),
    retryAfter: allowed ? 0 : seconds(waitOf(policy, at, check, state, evaluation)),
    key: demand.subject,
    mode: isReported(check, policy) ? 'shadow' : 'enforce',
  })
}

/** Microseconds until all counters of a policy let its cost pass. */
function longestWait(policy: number, check: Check, evaluation: Evaluation): number {
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
function waitOf(policy: number, at: number, check: Check, state: State, evaluation: Evaluation): number {
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
  if (isWhole || demand.rule.code === 'c') return demand
  return { ...demand, cost: demand.cost + own.paid }
}

function reasonOf(policy: number, at: number, check: Check, state: State, evaluation: Evaluation): Reason {
  const demand = asRetried(policy, at, check)
  const { rule, cost } = demand
  if (isAboveShare(policy, demand, check)) return 'limited'
  if (cost > rule.capacity) return 'cost-exceeds-limit'
  if (rule.code === 'q') return 'quota-exceeded'
  // The refusal that starts a cool-down is itself for the limit's sake; so is what is known to be refused while the store is
  // away, and is kept so by a cool-down of ours.
  if (rule.cooldown > 0 && evaluation.now < blockedUntil(state) && evaluation.starts[at] !== true) return 'blocked'
  return ruleInForce(demand, evaluation) === rule ? 'limited' : 'penalized'
}

/** Whether one of two binds a client more: a refusal more than none, a longer wait, less left of the limit. */
export function binds(a: Comparable, b: Comparable): boolean {
  if (a.allowed !== b.allowed) return b.allowed
  return a.allowed ? a.remaining * b.limit < b.remaining * a.limit : a.retryAfter > b.retryAfter
}

type Comparable = Pick<PolicyVerdict, 'allowed' | 'remaining' | 'limit' | 'retryAfter'>

function seconds(micros: number): number {
  return micros === Number.POSITIVE_INFINITY ? micros : Math.ceil(micros / 1e6)
}
