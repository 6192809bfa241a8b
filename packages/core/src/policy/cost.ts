import { MOST_COST, mostOwed, type Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { describe, HaltError } from '../base/errors.ts'
import { isStrayPromise } from '../base/promises.ts'

/** The units that a request takes: a number for every policy, or numbers by policy name for the named policies. */
export type Cost = number | Readonly<Record<string, number | undefined>>

/** The cost of a request whose cost function failed: a rate policy's whole limit, so that a client gains nothing by that. */
export const WHOLE_LIMIT: unique symbol = Symbol.for('halt.cost.limit')

// A larger cost counts as the largest one, which is above every limit.
const whole = (cost: number): number => Math.min(Math.ceil(cost), MOST_COST)

/**
 * Reads a cost that the application gave. Fractions round up.
 *
 * @throws HaltError `HALT_E_COST` for a value that is not a finite number from 0
 */
export function readCost(cost: unknown, name = 'cost'): number {
  if (typeof cost === 'number' && cost >= 0 && cost < Infinity) return whole(cost)
  throw new HaltError(
    'HALT_E_COST',
    `${name} is ${describe(cost)}.`,
    'Give a number of units, 0 or more. Fractions round up.',
  )
}

/** Checks a cost independently of the policies. @throws HaltError `HALT_E_COST` */
export function checkCost(cost: Cost | typeof WHOLE_LIMIT | undefined): void {
  if (cost === undefined || cost === WHOLE_LIMIT) return
  // A list, a Map or a promise does not name policies, so its units would silently not be charged.
  if (typeof cost !== 'object' || cost === null || Symbol.iterator in cost || isStrayPromise(cost))
    readCost(cost)
  else
    for (const [name, units] of Object.entries(cost))
      if (units !== undefined) readCost(units, `cost of ${name}`)
}

/**
 * Checks the units that a call is told to have used, before anything is changed.
 *
 * @throws HaltError `HALT_E_COST` for more than the policy could ever owe
 */
export function checkOwed(units: Cost, { name, countsRequests }: CompiledPolicy, rule: Rule): void {
  const own = typeof units === 'object' ? (Object.hasOwn(units, name) ? units[name] : 0) : units
  const most = mostOwed(rule)
  if (own === undefined || own <= most || (countsRequests && typeof units === 'number')) return
  throw new HaltError(
    'HALT_E_COST',
    `${describe(own)} units of ${describe(name)} are more than the ${most} that it could ever owe.`,
    'Give the units that were really used, in the unit of the policy.',
  )
}

/**
 * Checks the fewest units that a call accepts.
 *
 * @throws HaltError `HALT_E_LEAST` for a value that is not from 1 to the call's cost
 */
export function checkLeast(least: unknown, cost: Cost | typeof WHOLE_LIMIT | undefined): void {
  const isByName = typeof least === 'object' && least !== null && !(Symbol.iterator in least)
  const given: [name: string | undefined, units: unknown][] = isByName
    ? Object.entries(least).filter(([, units]) => units !== undefined)
    : [[undefined, least]]
  for (const [name, units] of given) {
    const most = typeof cost === 'object' && name !== undefined ? cost[name] : cost
    const isEnough = typeof units === 'number' && units > 0 && units < Infinity
    const isTooMuch = isEnough && typeof most === 'number' && units > most
    if (isEnough && !isTooMuch) continue
    throw new HaltError(
      'HALT_E_LEAST',
      `least${name === undefined ? '' : ` of ${describe(name)}`} is ${describe(units)}${isTooMuch ? `, more than the cost of ${most}` : ''}.`,
      'Give a number of units above 0 and up to the cost.',
    )
  }
}

/**
 * Reads the result of a cost function, which may contain data that a client sent. Numbers by name are copied into a new object,
 * so that getters, prototypes and later changes have no effect.
 *
 * @throws HaltError `HALT_E_COST` for a value that is not a cost
 */
export function readGivenCost(cost: unknown): Cost {
  if (typeof cost !== 'object' || cost === null || Symbol.iterator in cost || isStrayPromise(cost))
    return readCost(cost)
  const units = Object.create(null) as Record<string, number | undefined>
  for (const [name, given] of Object.entries(cost))
    units[name] = given === undefined ? undefined : readCost(given, `cost of ${describe(name)}`)
  return units
}

/** The units that a policy charges for a request: the given cost if it applies to this policy, else the policy's own. */
export function costFor(policy: CompiledPolicy, cost: Cost | typeof WHOLE_LIMIT | undefined): number {
  // Never charge a whole quota for one malformed body. A policy that counts requests always charges its own cost.
  if (cost === WHOLE_LIMIT)
    return policy.algorithm === 'quota' || policy.countsRequests
      ? policy.cost
      : Math.max(policy.cost, Math.min(policy.limit, policy.capacity))
  return givenCost(policy, cost) ?? policy.cost
}

/** The units that a given cost has for a policy; undefined if it does not apply to the policy. */
export function givenCost(policy: CompiledPolicy, cost: Cost | undefined): number | undefined {
  if (typeof cost === 'number') return policy.countsRequests ? undefined : whole(cost)
  const own = cost === undefined || !Object.hasOwn(cost, policy.name) ? undefined : cost[policy.name]
  return own === undefined ? undefined : whole(own)
}
