import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Demand, Evaluation } from '../store/contract.ts'
import { countsRepeats } from '../store/decide.ts'
import { listOf } from '../base/list.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { type Check, isReported } from './check.ts'
import type { CheckResult } from './check-result.ts'
import { Decision } from './decision.ts'
import type { PolicyVerdict } from './policy-verdict.ts'
import { pass, refusal, type Uncounted } from './uncounted-decision.ts'
import { longestWait, readDemand, readVerdict } from './verdict-reader.ts'

/**
 * Reads the result of a check into the decision that users see.
 *
 * @param asked the check as it was asked: without the store, `result` may hold fewer policies
 */
export function readDecision(result: CheckResult, asked: Check, clock: StoreClock): Decision {
  if (result.degraded === false) return readEvaluation(result)
  if (result.closing >= 0)
    return refusal('store-error', uncounted(asked, result.closing), clock.now(), 'closed', 1)
  if (result.check.policies.length > 0) return readEvaluation(result)
  return pass(uncounted(asked, 0), clock.now(), true)
}

function uncounted({ policies, demands }: Check, at: number): Uncounted {
  const { name, limit } = policies[at] as CompiledPolicy
  const { subject, cost } = demands[at] as Demand
  return { policy: name, limit, key: subject, cost }
}

function readEvaluation(result: CheckResult): Decision {
  const { check, evaluation, degraded } = result
  const count = check.policies.length
  if (count === 1 && check.extras === undefined) return readOne(result)
  const verdicts: PolicyVerdict[] = listOf(count)
  let binding = -1
  for (let i = 0; i < count; i++) {
    const said = (verdicts[i] = readVerdict(i, check, evaluation))
    if (isReported(check, i)) continue
    if (binding < 0 || binds(said, verdicts[binding] as PolicyVerdict)) binding = i
  }
  let longest = 0
  if (binding >= 0 && !(verdicts[binding] as PolicyVerdict).allowed) {
    let refused = -1
    for (let i = 0; i < count; i++) {
      if (isReported(check, i)) continue
      // Include policies that passed: the penalty started by this refusal may make them refuse the retry.
      const wait = longestWait(i, check, evaluation)
      if (wait > longest) longest = wait
      if ((verdicts[i] as PolicyVerdict).allowed || wait <= refused) continue
      refused = wait
      binding = i
    }
  }
  // With shadow policies only, the request passes, and the first of them is shown.
  const shown =
    binding >= 0
      ? (verdicts[binding] as PolicyVerdict)
      : { ...(verdicts[0] as PolicyVerdict), allowed: true, reason: 'ok' as const }
  const cost = binding < 0 ? 0 : costOf(check.demands[binding] as Demand, evaluation)
  return new Decision(shown, longest, cost, degraded, result)
}

// The same for the commonest check: its one verdict binds.
function readOne(result: CheckResult): Decision {
  const { check, evaluation, degraded } = result
  const said = readDemand(0, 0, check, evaluation)
  const wait = said.allowed ? 0 : longestWait(0, check, evaluation)
  const cost = costOf(check.demands[0] as Demand, evaluation)
  return new Decision(said, wait, cost, degraded, result)
}

function costOf({ rule, cost }: Demand, { repeated }: Evaluation): number {
  return repeated && !countsRepeats(rule) ? 0 : cost
}

/** Whether one of two binds a client more: a refusal more than none, a longer wait, less left of the limit. */
export function binds(a: Comparable, b: Comparable): boolean {
  if (a.allowed !== b.allowed) return b.allowed
  return a.allowed ? a.remaining * b.limit < b.remaining * a.limit : a.retryAfter > b.retryAfter
}

type Comparable = Pick<PolicyVerdict, 'allowed' | 'remaining' | 'limit' | 'retryAfter'>
