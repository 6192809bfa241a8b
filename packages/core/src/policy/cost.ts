import type { CompiledPolicy } from './compiled-policy.ts'
import { describe } from '../base/describe.ts'
import { HaltError } from '../base/errors.ts'

/** Units a request takes: a number for every policy, or by policy name for those named. */
export type Cost = number | Readonly<Record<string, number | undefined>>

/** The cost of a request whose cost function broke: a rate policy's whole limit, so that breaking it is not cheap. */
export const WHOLE_LIMIT: unique symbol = Symbol.for('halt.cost.limit')

/** Where larger costs are counted as this one: above every limit, and what a settlement still counts exactly. */
const MAX_COST = 2 ** 40

const whole = (cost: number): number => Math.min(Math.ceil(cost), MAX_COST)

/**
 * Reads a cost that the application gave; fractions round up.
 *
 * @throws HaltError `HALT_E_COST` for what is no number from 0
 */
export function readCost(cost: unknown, name = 'cost'): number {
  if (typeof cost === 'number' && cost >= 0 && cost < Infinity) return whole(cost)
  throw new HaltError(
    'HALT_E_COST',
    `${name} is ${describe(cost)}.`,
    'Give a number of units from 0; fractions round up.',
  )
}

/** Checks a cost once, whatever policies it meets. */
export function checkCost(cost: Cost | typeof WHOLE_LIMIT | undefined): void {
  if (cost === undefined || cost === WHOLE_LIMIT) return
  // A list or a Map has no names of policies: it would charge nothing that anybody meant.
  if (typeof cost !== 'object' || cost === null || Symbol.iterator in cost) readCost(cost)
  else
    for (const [name, units] of Object.entries(cost))
      if (units !== undefined) readCost(units, `cost of ${name}`)
}

/**
 * Reads what a cost function gave, which may hold what a client sent. Numbers by name are read once into an object of our own:
 * no getter, prototype or later change has a say.
 *
 * @throws HaltError `HALT_E_COST` for what is no cost
 */
export function readGivenCost(cost: unknown): Cost {
  if (typeof cost !== 'object' || cost === null || Symbol.iterator in cost) return readCost(cost)
  const units = Object.create(null) as Record<string, number | undefined>
  for (const [name, given] of Object.entries(cost))
    units[name] = given === undefined ? undefined : readCost(given, `cost of ${describe(name)}`)
  return units
}

/** The units a policy takes of a request: the given cost where it speaks of this policy, else the policy's own. */
export function costFor(policy: CompiledPolicy, cost: Cost | typeof WHOLE_LIMIT | undefined): number {
  // A month's quota is not for one broken body to burn, and a request is one request in flight.
  if (cost === WHOLE_LIMIT)
    return policy.algorithm === 'quota' || policy.countsRequests
      ? policy.cost
      : Math.max(policy.cost, Math.min(policy.limit, policy.capacity))
  return givenCost(policy, cost) ?? policy.cost
}

/** The units a cost names for a policy; undefined when it does not speak of it. */
export function givenCost(policy: CompiledPolicy, cost: Cost | undefined): number | undefined {
  if (typeof cost === 'number') return policy.countsRequests ? undefined : whole(cost)
  const own = cost === undefined || !Object.hasOwn(cost, policy.name) ? undefined : cost[policy.name]
  return own === undefined ? undefined : whole(own)
}
