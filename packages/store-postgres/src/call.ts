import {
  type Demand,
  Mode,
  type Group,
  algorithms,
  type AlgorithmCode,
  type IdempotencyDemand,
  type Layout,
  type PenaltyDemand,
  PENALTY_COUNTER,
  type Rule,
} from '@halt/core/store'

import type { KeyWriter } from './keys.ts'

// The compiler asks for the kind of a new layout; sql/group.sql has its arithmetic.
const KINDS: Readonly<Record<Layout, number>> = { bucket: 0, window: 1, 'sub-windows': 2 }
// Sub-windows of places in flight, because a repeated call takes a place of its own.
const IN_FLIGHT = 3

/** The kind of a token bucket in the functions. */
export const BUCKET: number = KINDS.bucket
/** The kind of a fixed window and of a quota in the functions. */
export const WINDOW: number = KINDS.window

/** The kind of arithmetic of each algorithm in the functions. */
export const SQL_KINDS: Readonly<Record<AlgorithmCode, number>> = Object.fromEntries(
  Object.entries(algorithms).map(([code, { layout, isFlight }]) => [
    code,
    isFlight ? IN_FLIGHT : KINDS[layout],
  ]),
) as Record<AlgorithmCode, number>

// The marks of a demand: what follows its rule.
const REDUCED = 1
const EDGES = 2
const TERMS = 4

/** A call that evaluates groups: the function, and its parameters between the clock and the sweep. */
export interface Call {
  readonly name: 'bucket' | 'decide'
  readonly params: readonly string[]
}

/** Writes the call that evaluates groups. sql/bucket.sql and sql/decide.sql describe the parameters. */
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

/** Whether a group is the charge of one bucket and nothing else, the commonest. */
export function isLoneBucket({ demands, penalty, idempotency }: Group): boolean {
  const [demand] = demands
  if (demand === undefined || demands.length > 1) return false
  if (penalty !== undefined || idempotency !== undefined || demand.terms !== undefined) return false
  return SQL_KINDS[demand.rule.code] === BUCKET && demand.mode === Mode.CHARGE && demand.cost >= 1
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
    ...(penalty === undefined ? [0] : penaltyNumbers(penalty, indexOf)),
    ...(idempotency === undefined ? [0] : idempotencyNumbers(idempotency, indexOf)),
    ...demands.flatMap(demand => demandNumbers(demand, indexOf)),
  ]
}

function penaltyNumbers({ rule, subject, mode, amount }: PenaltyDemand, indexOf: IndexOf): number[] {
  const { threshold, duration, decay, severity, cooldown, factor, maxDuration } = rule
  const numbers = [threshold, duration, decay, severity, cooldown, factor, maxDuration]
  return [indexOf(subject, PENALTY_COUNTER), mode, amount, ...numbers]
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
  const numbers = [indexOf(subject, rule.counter), mode, cost, chargedTo, marks, SQL_KINDS[rule.code]]
  numbers.push(...ruleNumbers(rule))
  if (reduced !== undefined) numbers.push(...ruleNumbers(reduced))
  if (edges !== undefined) numbers.push(...edges)
  if (terms !== undefined) {
    const { maxWait = 0, least = -1, floor = 0, holdFor = 0, heldSince = 0, place } = terms
    const { position = -1, born = 0 } = place ?? {}
    numbers.push(maxWait, least, floor, holdFor, heldSince, position, born)
  }
  return numbers
}

function ruleNumbers({ cooldown, capacity, unit, rate, window, slice, precision }: Rule): number[] {
  return [cooldown, capacity, unit, rate, window, slice, precision]
}
