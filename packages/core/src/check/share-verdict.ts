import { algorithmOf, debtAt, levelAt, paceOf, standingOf, waitToHold } from '../algorithms/index.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { poolAt } from '../store/shares.ts'
import type { Check } from './check.ts'

/** Microseconds until a tenant's share lets a demand pass, if nobody else asks. 0 if it passes now. */
export function waitForShare(at: number, { demands }: Check, whole: Evaluation): number {
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(demands, at)
  if (pool < 0 || evaluation.repeated) return 0
  const { cost, terms } = demands[at]!
  const rule = ruleInForce(demands[pool]!, evaluation)
  const { now, passes } = evaluation
  const [own, all] = [evaluation.states[at] ?? [], evaluation.states[pool] ?? []]
  const units = terms!.least ?? cost
  if (algorithmOf(rule).isFlight) {
    const { weight } = terms!.share!
    // Some permit may be given back at any time, so a refusal never says "at once".
    return passes[at] === true ? 0 : Math.max(1, waitToHold(own, all, now, units, rule, weight))
  }
  if (own.length === 0) return 0
  return standingOf(own, now, units, {
    pool: rule,
    debt: debtAt(all, now, rule),
    ticket: terms!.share!.ticket,
  }).wait
}

/** How a tenant stands among those who share a token bucket. */
export interface FairShare {
  /** How many units the tenant has had beyond its share. 0 or less: it is its turn. */
  readonly ahead: number
  /** The units a second that a tenant of weight 1 gets now. More than the whole rate while there is plenty. */
  readonly level: number
  /** Whether less than half of the capacity is left, so that tenants take turns. */
  readonly isScarce: boolean
  readonly weight: number
}

/** Reads how a tenant stands in the bucket of the policy at an index. Undefined where tenants share no bucket. */
export function fairShareOf(policy: number, check: Check, whole: Evaluation): FairShare | undefined {
  const at = check.extras?.[policy]?.share ?? -1
  const demand = check.demands[at]
  const own = whole.states[at] ?? []
  if (demand === undefined || demand.rule.code !== 'v' || own.length === 0) return undefined
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(check.demands, at)
  const rule = ruleInForce(check.demands[pool]!, evaluation)
  const debt = debtAt(evaluation.states[pool] ?? [], evaluation.now, rule)
  const { weight } = demand.terms!.share!
  const { ahead } = standingOf(own, evaluation.now, 0, { pool: rule, debt })
  return {
    ahead: (ahead * weight) / paceOf(rule).perUnit,
    level: levelAt(debt, rule),
    isScarce: debt > paceOf(rule).plenty,
    weight,
  }
}
