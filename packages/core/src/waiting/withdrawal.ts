import type { CheckResult } from '../check/check-result.ts'
import { chargedToAt, isTaken } from '../check/correction.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import { ruleInForce } from '../store/reading.ts'
import { shareAt, shareIn } from '../store/shares.ts'
import { canStand } from './in-line.ts'

/** Builds the group that gives back what a charge took, but for the demands that keep a place in line. Undefined if that is all. */
export function withdrawal({ check, evaluation }: CheckResult): Group | undefined {
  const demands = check.demands.flatMap((demand, at): Demand[] => {
    if (demand.mode === Mode.HOLD || demand.cost === 0) return []
    if (!isTaken(demand, at, evaluation)) return []
    // A share is corrected beside its pool, whose units are given back with the place.
    const keeps = canStand(demand)
    if (keeps && shareAt(check.demands, at) < 0) return []
    const rule = ruleInForce(demand, evaluation)
    const chargedTo = chargedToAt(at, demand, rule, evaluation, undefined)
    return [
      { ...demand, mode: Mode.SETTLE, cost: keeps ? 0 : -demand.cost, chargedTo, terms: shareIn(demand) },
    ]
  })
  return demands.length === 0 ? undefined : { demands }
}
