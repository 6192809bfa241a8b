import {
  Admitted,
  ALGORITHM_KINDS,
  BUCKET,
  checkReply,
  type Demand,
  type Evaluation,
  type Group,
  Mode,
  PenaltyMode,
  type Rule,
  type State,
  TAG,
  WINDOW,
} from '@halt/core/store'

import { isSharedCheck, readSharedRefusal, readTag } from './reply-shares.ts'
import type { ReplyEntries } from './reply-value.ts'

/** The numbers of a window without grants and holds. */
const WINDOW_NUMBERS = 3
/** The most numbers of a sliding window: two for each of its sub-windows. */
const MOST_NUMBERS = 2048

/**
 * Reads the numbers of a group that was admitted and charged: the debt of each bucket, the end and the count of each window, and so on:
 * lua/reply.lua.
 * Undefined if they cannot come from the script.
 *
 * @param first the first of the numbers; the others are taken from `rest`
 */
export function readAdmission(
  first: number,
  rest: ReplyEntries,
  group: Group,
  now: number,
): Evaluation | undefined {
  const { demands, penalty } = group
  const { length } = demands
  const demand = demands[0]
  if (demand === undefined || (penalty !== undefined && penalty.mode > PenaltyMode.READ)) return undefined
  if (length === 1 && ALGORITHM_KINDS[demand.rule.code] === BUCKET) {
    if (!isCharged(demand, first)) return undefined
    const bucket = new Admitted(now, demand.rule, first)
    // The debt tells everything but the units that the demand leaves to others.
    return demand.terms?.headroom ? writtenOut(bucket) : bucket
  }
  const states: State[] = []
  let isPlain = true
  for (let i = 0; i < length; i++) {
    const number = i === 0 ? first : rest.takeInteger()
    const state = number === undefined ? undefined : chargedState(demands[i] as Demand, number, rest, now)
    if (state === undefined) return undefined
    if (isList(demands[i] as Demand, state)) isPlain = false
    states.push(state)
  }
  const passes = length === 1 ? YES : states.map(() => true)
  const evaluation = {
    now,
    allowed: true,
    repeated: false,
    passes,
    starts: NONE,
    states,
    penalty: NO_PENALTY,
  }
  return isPlain ? evaluation : checkReply(evaluation, group)
}

/** An evaluation whose fields are not read from a debt. */
function writtenOut({ now, allowed, repeated, passes, starts, states, penalty }: Evaluation): Evaluation {
  return { now, allowed, repeated, passes, starts, states, penalty }
}

/** Whether a bucket that alone was charged can have this debt. It includes the charge. */
function isCharged({ rule, cost, mode, terms }: Demand, debt: number): boolean {
  const { unit, capacity, rate } = rule
  if (cost <= 0 || debt < cost * unit || terms?.least !== undefined) return false
  // Units that are held before they are used may be charged beyond the capacity.
  const most = Math.max(capacity * unit, (terms?.keptFor ?? 0) * rate + cost * unit)
  return mode === Mode.SETTLE || ((mode === Mode.CHARGE || mode === Mode.SHADOW) && debt <= most)
}

/** The state of a counter that was charged with others, by its first number. */
function chargedState(demand: Demand, number: number, rest: ReplyEntries, now: number): State | undefined {
  const { rule, cost, mode, terms } = demand
  if (mode !== Mode.CHARGE) return undefined
  const kind = ALGORITHM_KINDS[rule.code]
  if (kind === BUCKET) return isCharged(demand, number) ? [0, now, number, rule.unit, rule.rate] : undefined
  if (kind === TAG) return readTag(number, rest, now)
  if (cost <= 0) return undefined
  if (kind !== WINDOW) return readList([0], number, rest)
  if (number <= now) return undefined
  const count = rest.takeInteger()
  if (count === undefined || count < 0) return readList([0, number], -(count ?? 0), rest)
  // Units that the call holds pass whatever the limit is now.
  const most = terms?.held === undefined ? rule.capacity : Number.POSITIVE_INFINITY
  return count >= cost && count <= most ? [0, number, count] : undefined
}

/** Whether a counter has a list of numbers, whose length is not checked where they are read. */
function isList({ rule }: Demand, { length }: State): boolean {
  const kind = ALGORITHM_KINDS[rule.code]
  return kind === WINDOW ? length > WINDOW_NUMBERS : kind !== BUCKET && kind !== TAG
}

/** Reads the rest of a counter with many numbers. Undefined if it cannot come from the script. @param length how many follow */
function readList(start: State, length: number, rest: ReplyEntries): State | undefined {
  if (length < 2 || length > MOST_NUMBERS) return undefined
  for (let i = 0; i < length; i++) {
    const number = rest.takeInteger()
    if (number === undefined || number < 0) return undefined
    start.push(number)
  }
  return start
}

/**
 * Reads the numbers of a bucket that refuses: the instant of its counter, negative, its debt, and those of a tenant's share of it. Undefined if they cannot
 * come from the script.
 */
export function readRefusal(
  first: number,
  rest: ReplyEntries,
  group: Group,
  now: number,
): Evaluation | undefined {
  const { demands, penalty, idempotency } = group
  const debt = rest.takeInteger()
  if (debt !== undefined && debt >= 0 && isSharedCheck(group))
    return readSharedRefusal(first === 0 ? 0 : -first, debt, rest, group, now)
  const [demand] = demands
  if (demand === undefined || demands.length > 1 || penalty !== undefined || idempotency !== undefined)
    return undefined
  const since = first === 0 ? 0 : -first
  if (debt === undefined || debt < 0 || since > now || !isRefused(demand, now - since, debt)) return undefined
  const { unit, rate }: Rule = demand.rule
  const states = [[0, since, debt, unit, rate]]
  return { now, allowed: false, repeated: false, passes: NO, starts: NONE, states, penalty: NO_PENALTY }
}

/** Whether a bucket with this debt, which is in no cool-down, refuses the demand after this time. */
function isRefused({ rule, cost, mode, terms }: Demand, elapsed: number, debt: number): boolean {
  const { code, unit, rate, capacity } = rule
  const owed = Math.max(0, debt - elapsed * rate)
  return (
    ALGORITHM_KINDS[code] === BUCKET &&
    mode === Mode.CHARGE &&
    terms === undefined &&
    owed + cost * unit > capacity * unit
  )
}

// Shared by all evaluations, so they are never written.
const YES: readonly boolean[] = Object.freeze([true])
const NO: readonly boolean[] = Object.freeze([false])
const NONE: readonly boolean[] = Object.freeze([])
const NO_PENALTY: State = Object.freeze([]) as unknown as State
