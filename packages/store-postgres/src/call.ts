import {
  ALGORITHM_KINDS,
  type Demand,
  type Group,
  type IdempotencyDemand,
  isLoneBucket,
  PENALTY_COUNTER,
  type PenaltyDemand,
  penaltyNumbers,
  type Rule,
  termNumbers,
} from '@halt/core/store'

import type { KeyWriter } from './keys.ts'

// The marks of a demand: what follows its rule.
const REDUCED = 1
const EDGES = 2
const TERMS = 4

/**
 * The most counters of one statement, which holds a lock of each. PostgreSQL has room for 64 locks of each connection unless it is
 * told otherwise (`max_locks_per_transaction`), and a statement also locks its tables.
 */
export const MOST_LOCKS = 48

/** A call that evaluates groups: the function, and its parameters between the clock and the sweep. */
export interface Call {
  readonly name: 'bucket' | 'decide'
  readonly params: readonly string[]
}

/** Writes the call that evaluates groups, of which each demand has one counter. sql/bucket.sql and sql/decide.sql describe the parameters. */
export function callOf(groups: readonly Group[], key: KeyWriter): Call {
  const [first] = groups as [Group]
  if (groups.length === 1 && isLoneBucket(first)) {
    const { rule, subject } = first.demands[0] as Demand
    const [, , ...numbers] = numbersOf(first, () => 0)
    return { name: 'bucket', params: [key(subject, rule.counter), ...numbers.map(String)] }
  }
  const keys = [...new Set(groups.flatMap(group => keysOf(group, key)))].sort()
  const indexes = new Map(keys.map((name, i) => [name, i + 1]))
  const indexOf = (subject: string, counter: string): number => indexes.get(key(subject, counter)) ?? 0
  const numbers = groups.map(group => numbersOf(group, indexOf).join(' ')).join('\n')
  return { name: 'decide', params: [keys.join('\n'), numbers] }
}

type IndexOf = (subject: string, counter: string) => number

function keysOf({ demands, penalty, idempotency }: Group, key: KeyWriter): string[] {
  const keys = demands.map(({ subject, rule }) => key(subject, rule.counter))
  if (penalty !== undefined) keys.push(key(penalty.subject, PENALTY_COUNTER))
  if (idempotency !== undefined) keys.push(key(idempotency.subject, idempotency.counter))
  return keys
}

function numbersOf(group: Group, indexOf: IndexOf): number[] {
  const { demands, penalty, idempotency } = group
  if (isLoneBucket(group)) {
    const { rule, subject, cost } = demands[0] as Demand
    const { unit, rate, capacity, cooldown } = rule
    return [-1, indexOf(subject, rule.counter), unit, rate, capacity * unit, cost * unit, cooldown]
  }
  return [
    demands.length,
    ...(penalty === undefined ? [0] : penaltyDemandNumbers(penalty, indexOf)),
    ...(idempotency === undefined ? [0] : idempotencyNumbers(idempotency, indexOf)),
    ...demands.flatMap(demand => demandNumbers(demand, indexOf)),
  ]
}

function penaltyDemandNumbers({ rule, subject, mode, amount }: PenaltyDemand, indexOf: IndexOf): number[] {
  return [indexOf(subject, PENALTY_COUNTER), mode, amount, ...penaltyNumbers(rule)]
}

function idempotencyNumbers(
  { subject, counter, window, edges }: IdempotencyDemand,
  indexOf: IndexOf,
): number[] {
  const ends = edges === undefined ? [window, 0, 0, 0] : [0, ...edges]
  return [indexOf(subject, counter), ...ends]
}

function demandNumbers(demand: Demand, indexOf: IndexOf): number[] {
  const { rule, subject, mode, cost, chargedTo = 0, penalized, edges, terms } = demand
  const reduced = penalized ? rule.reduced : undefined
  const marks =
    (reduced === undefined ? 0 : REDUCED) +
    (edges === undefined ? 0 : EDGES) +
    (terms === undefined ? 0 : TERMS)
  const numbers = [indexOf(subject, rule.counter), mode, cost, chargedTo, marks, ALGORITHM_KINDS[rule.code]]
  numbers.push(...ruleNumbers(rule))
  if (reduced !== undefined) numbers.push(...ruleNumbers(reduced))
  if (edges !== undefined) numbers.push(...edges)
  if (terms !== undefined) numbers.push(...termNumbers(demand))
  return numbers
}

function ruleNumbers({ cooldown, capacity, unit, rate, window, slice, precision }: Rule): number[] {
  return [cooldown, capacity, unit, rate, window, slice, precision]
}
