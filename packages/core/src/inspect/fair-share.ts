import { algorithmOf, debtAt, leadOf, levelAt, paceOf, permitLevel, type State } from '../algorithms/index.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import type { Check } from '../check/check.ts'

/** How a tenant stands among those who share a policy's counter. */
export interface FairShare {
  /** The tenant's key, readable by people. */
  readonly tenant: string
  readonly weight: number
  /**
   * How many units the tenant has had beyond its share. 0 or less: it is its turn. Of a pool: the permits that it would hold beyond
   * its share, with one more.
   */
  readonly ahead: number
  /**
   * The units a second that a tenant of weight 1 gets now: all of them, while there is plenty. Of a pool: the permits that such a
   * tenant may hold now.
   */
  readonly level: number
  /** Whether tenants take turns: less than half of a bucket is left, or less than a quarter of a pool. */
  readonly isScarce: boolean
}

/** Reads how the tenant stands in the policy at an index. Undefined if the policy has no tenants, or an outage decided. */
export function fairShareOf(policy: number, check: Check, whole: Evaluation): FairShare | undefined {
  const demand = check.demands[policy]!
  const tenant = check.extras?.[policy]?.tenant
  if (tenant === undefined) return undefined
  const evaluation = evaluationAt(whole, policy)
  const rule = ruleInForce(demand, evaluation)
  const { now, states, shares } = evaluation
  const [own, all] = [shares?.[policy] ?? [], states[policy] ?? []]
  const { weight } = demand.terms!.share!
  if (algorithmOf(rule).isFlight) {
    const used = (state: State): number => algorithmOf(rule).used(state, now, rule)
    const level = permitLevel(used(all), rule, 1)
    const ahead = used(own) + 1 - permitLevel(used(all), rule, weight)
    return { tenant, weight, ahead, level, isScarce: level < rule.limit }
  }
  if (own.length === 0) return undefined
  const debt = debtAt(all, now, rule)
  const { ahead } = leadOf(own, now, 0, { pool: rule, debt })
  const { perUnit, plenty } = paceOf(rule)
  return {
    tenant,
    weight,
    ahead: (ahead * weight) / perUnit,
    level: Math.min(levelAt(debt, rule), (rule.rate * 1e6) / rule.unit),
    isScarce: debt > plenty,
  }
}
