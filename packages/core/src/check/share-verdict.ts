import {
  algorithmOf,
  debtAt,
  levelAt,
  paceOf,
  permitLevel,
  leadOf,
  type State,
  waitToHold,
} from '../algorithms/index.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { poolAt } from '../store/share-claim.ts'
import { fewestOf } from '../store/terms.ts'
import { type Check, roleAt } from './check.ts'

/**
 * Microseconds until a tenant's share lets a demand pass, if nobody else asks. 0 if it passes now.
 *
 * @param asked units; default: those of the demand
 */
export function waitForShare(at: number, { demands }: Check, whole: Evaluation, asked?: number): number {
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(demands, at)
  if (pool < 0 || evaluation.repeated) return 0
  const { terms } = demands[at]!
  const rule = ruleInForce(demands[pool]!, evaluation)
  const { now, passes } = evaluation
  const [own, all] = [evaluation.states[at] ?? [], evaluation.states[pool] ?? []]
  const units = asked ?? fewestOf(demands[at]!)
  if (algorithmOf(rule).isFlight) {
    if (asked === undefined && passes[at] === true) return 0
    return waitToHold(own, all, now, units, rule, terms!.share!.weight)
  }
  if (own.length === 0) return 0
  return leadOf(own, now, units, {
    pool: rule,
    debt: debtAt(all, now, rule),
    ticket: terms!.share!.ticket,
  }).wait
}

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
  const at = roleAt(check, policy, 'share')
  const tenant = check.extras?.[policy]?.tenant
  if (at === undefined || tenant === undefined) return undefined
  const demand = check.demands[at]!
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(check.demands, at)
  const rule = ruleInForce(check.demands[pool]!, evaluation)
  const { now, states } = evaluation
  const [own, all] = [states[at] ?? [], states[pool] ?? []]
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
