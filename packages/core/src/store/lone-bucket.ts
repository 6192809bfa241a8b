import { type Demand, type Group, Mode } from './contract.ts'

/** The demand of a group that is one charge to one token bucket; undefined for any other group. */
export function loneBucket({ demands, penalty, idempotency }: Group): Demand | undefined {
  const demand = demands[0]
  return demands.length === 1 &&
    demand !== undefined &&
    demand.mode === Mode.CHARGE &&
    demand.rule.code === 't' &&
    demand.cost > 0 &&
    penalty === undefined &&
    idempotency === undefined
    ? demand
    : undefined
}
