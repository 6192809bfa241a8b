import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Demand } from '../store/contract.ts'
import { Admitted, type ChargeAnswer, type Refused, unitsLeft } from '../store/admitted.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { countsRepeats } from '../store/beside-demands.ts'
import { listOf } from '../base/bounded-memory.ts'
import type { Subject } from '../request/identity.ts'
import { evaluationAt, evaluationAtStart, limitInForce, remaining } from '../store/reading.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { type Check, isShadowed } from './check.ts'
import type { CheckResult } from './check-result.ts'
import { Decision } from './decision.ts'
import { type PolicyVerdict, type Reason, longestWait, readDemand, readVerdict } from './verdict-reader.ts'
import type { OnStoreError } from '../policy/policy.ts'

/**
 * Makes the decision that users see from the result of a check.
 *
 * @param original the check before the fallback: a `result` without the store may hold fewer policies
 */
export function readDecision(result: CheckResult, original: Check, clock: StoreClock): Decision {
  if (result.degraded === false) return readEvaluation(result)
  if (result.degraded === 'closed')
    return refusal('store-error', uncountedAt(original, result.closedPolicy), clock.now(), 'closed', 1)
  if (result.check.policies.length > 0) return readEvaluation(result)
  return allowUncounted(uncountedAt(original, 0), clock.now(), true)
}

function uncountedAt({ policies, demands }: Check, at: number): UncountedFacts {
  const { subject, cost } = demands[at] as Demand
  return uncounted(policies[at], subject, cost)
}

function readEvaluation(result: CheckResult): Decision {
  const { check, degraded } = result
  const evaluation = evaluationAtStart(result.evaluation)
  const count = check.policies.length
  if (evaluation.allowed && check.extras?.some(one => one?.shadow === true) !== true)
    return readAdmitted(result, evaluation)
  const verdicts: PolicyVerdict[] = listOf(count)
  let binding = -1
  for (let i = 0; i < count; i++) {
    const verdict = (verdicts[i] = readVerdict(i, check, evaluation))
    if (isShadowed(check, i)) continue
    if (binding < 0 || binds(verdict, verdicts[binding] as PolicyVerdict)) binding = i
  }
  let longest = 0
  if (binding >= 0 && !(verdicts[binding] as PolicyVerdict).allowed) {
    let longestRefusingWait = -1
    for (let i = 0; i < count; i++) {
      if (isShadowed(check, i)) continue
      // Include policies that passed: the penalty started by this refusal may make them refuse the retry.
      const wait = longestWait(i, check, evaluation)
      if (wait > longest) longest = wait
      if ((verdicts[i] as PolicyVerdict).allowed || wait <= longestRefusingWait) continue
      longestRefusingWait = wait
      binding = i
    }
  }
  // When all policies run in shadow mode, the request passes and the decision shows the first policy.
  const shown =
    binding >= 0
      ? (verdicts[binding] as PolicyVerdict)
      : { ...(verdicts[0] as PolicyVerdict), allowed: true, reason: 'ok' as const }
  const cost = binding < 0 ? 0 : costOf(check.demands[binding] as Demand, evaluation)
  return new Decision(shown, longest, cost, degraded, result)
}

/**
 * As {@link readEvaluation} where every policy is enforced and passes. Then the verdict of a policy is the verdict of its own demand. It
 * makes one verdict, of the policy that binds.
 */
function readAdmitted(result: CheckResult, evaluation: Evaluation): Decision {
  const { check, degraded } = result
  const { length } = check.policies
  // A bucket that admits a cost later has nothing left then, so the fields describe this instant.
  if (length === 1 && isCharge(result.evaluation) && degraded === false && isPlain(check)) {
    const [{ subject, cost }] = check.demands as [Demand]
    return readCharge(check.policies, result.evaluation, subject, cost)
  }
  let binding = 0
  if (length > 1) {
    let tightest = restAt(0, check, evaluation)
    for (let i = 1; i < length; i++) {
      const rest = restAt(i, check, evaluation)
      if (rest.remaining * tightest.limit >= tightest.remaining * rest.limit) continue
      tightest = rest
      binding = i
    }
  }
  const demand = check.demands[binding] as Demand
  const amount = evaluation.amounts?.[binding]
  const tenant = check.extras?.[binding]?.tenant
  const shown =
    amount === undefined
      ? withKey(readDemand(binding, binding, check, evaluation), tenant)
      : shownOf(
          check.policies[binding] as CompiledPolicy,
          demand.rule.code === 't'
            ? new Admitted(evaluation.now, demand.rule, amount)
            : new Admitted(evaluation.now, demand.rule, undefined, evaluation.states[binding]),
          demand.subject,
        )
  return new Decision(shown, 0, costOf(demand, evaluation), degraded, result)
}

/** A verdict on a counter that tenants share tells whose share it is. */
function withKey(verdict: PolicyVerdict, tenant: string | undefined): PolicyVerdict {
  return tenant === undefined ? verdict : { ...verdict, key: tenant }
}

function isCharge(evaluation: Evaluation): evaluation is Admitted {
  return evaluation.freshAt !== undefined
}

/** Whether a check of one policy is one demand, so that its bucket tells everything. */
function isPlain({ extras, penalty, idempotency }: Check): boolean {
  return extras === undefined && penalty === undefined && idempotency === undefined
}

function restAt(
  at: number,
  { demands }: Check,
  whole: Evaluation,
): Pick<PolicyVerdict, 'remaining' | 'limit'> {
  const demand = demands[at] as Demand
  const amount = whole.amounts?.[at]
  if (amount !== undefined) return { remaining: unitsLeft(demand.rule, amount), limit: demand.rule.limit }
  const evaluation = evaluationAt(whole, at)
  const state = evaluation.states[at] ?? []
  return {
    remaining: remaining(demand, state, evaluation),
    limit: limitInForce(demand, state, evaluation),
  }
}

/**
 * Makes the decision of a counter that was asked without a check.
 *
 * perf: bench "limiter.check(request)"; a test holds it equal to {@link readDecision}.
 */
export function readCharge(
  policies: readonly CompiledPolicy[],
  charge: ChargeAnswer,
  subject: Subject,
  cost: number,
): Decision {
  const policy = policies[0] as CompiledPolicy
  return charge.allowed
    ? new Decision(shownOf(policy, charge, subject), 0, cost, false, policies, charge)
    : new Decision(refusedOf(policy, charge, subject), charge.wait, cost, false, policies, charge)
}

/** The shown fields of a decision by a counter that was admitted and charged. */
function shownOf({ name }: CompiledPolicy, { rule, remaining, freshAt }: Admitted, subject: Subject): Shown {
  return {
    policy: name,
    allowed: true,
    reason: 'ok',
    limit: rule.limit,
    remaining,
    resetAt: Math.ceil(freshAt / 1e6),
    key: subject,
  }
}

/** The shown fields of a decision by a counter that refused. The refusal that starts a cool-down is not among these. */
function refusedOf({ name }: CompiledPolicy, refused: Refused, subject: Subject): Shown {
  const { rule, remaining, resetAt, isBlocked } = refused
  return {
    policy: name,
    allowed: false,
    reason: isBlocked && rule.cooldown > 0 ? 'blocked' : 'limited',
    limit: rule.limit,
    remaining,
    resetAt: Math.ceil(resetAt / 1e6),
    key: subject,
  }
}

type Shown = Omit<PolicyVerdict, 'mode' | 'retryAfter'>

function costOf({ rule, cost }: Demand, { repeated }: Evaluation): number {
  return repeated && !countsRepeats(rule) ? 0 : cost
}

/**
 * Whether `a` binds a client more than `b`: a refusal binds more than a pass, then a longer wait, then a smaller rest of the
 * limit.
 */
export function binds(a: Comparable, b: Comparable): boolean {
  if (a.allowed !== b.allowed) return b.allowed
  return a.allowed ? a.remaining * b.limit < b.remaining * a.limit : a.retryAfter > b.retryAfter
}

type Comparable = Pick<PolicyVerdict, 'allowed' | 'remaining' | 'limit' | 'retryAfter'>

/** The client, the policy and the cost of a decision that no counter made. */
export interface UncountedFacts {
  readonly policy: string
  readonly limit: number
  readonly key: string
  readonly cost: number
}

/** The fields of a decision about a policy, or about none. */
export function uncounted(policy: CompiledPolicy | undefined, key: string, cost: number): UncountedFacts {
  return { policy: policy?.name ?? '', limit: policy?.limit ?? 0, key, cost }
}

const NO_VERDICTS: readonly PolicyVerdict[] = Object.freeze([])

/**
 * Makes a decision that allows a request without counting it: it is exempt, or (`open`) the store is unavailable and
 * `onStoreError` is `"open"`.
 */
export function allowUncounted(
  { policy, limit, key, cost }: UncountedFacts,
  nowMs: number,
  open = false,
): Decision {
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
  return new Decision(shown, 0, open ? cost : 0, open ? 'open' : false, nowMs / 1000, undefined, NO_VERDICTS)
}

/**
 * Makes a refusal that no counter decided: there is no key, no policy or no store, or an operator has blocked the client.
 *
 * @param wait seconds until the same request passes
 */
export function refusal(
  reason: Reason,
  { policy, limit, key, cost }: UncountedFacts,
  nowMs: number,
  degraded: false | OnStoreError = false,
  wait = 0,
): Decision {
  const retryAfter = Math.ceil(wait)
  const resetAt = Math.ceil(nowMs / 1000) + (Number.isFinite(wait) ? retryAfter : 0)
  const verdict: PolicyVerdict = Object.freeze({
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
  return new Decision(verdict, wait * 1e6, cost, degraded, nowMs / 1000, undefined, Object.freeze([verdict]))
}
