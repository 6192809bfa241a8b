import { convertDebt, LINE, PARTS } from './virtual-clock.ts'
import { MAX_EXACT, type Rule, type State } from './rule.ts'

// The line of a token bucket: callers that were admitted beyond its capacity and wait for their turn. A bucket without a line has
// none of these numbers.
//
// A place in the line is a position, not an instant: `tail` counts the cost units that were ever placed in the line, and the caller
// at position p starts when its own debt and the debt in front of it fit: debt - (tail - p) * unit <= capacity * unit. So refunds,
// resets and other limits move all who wait, in order, and nobody has to be told.

/** The index of the instant at which the line began, which is its id. */
const BORN = 6
/** The index of the cost units placed in the line. */
const TAIL = 7
/** The index of the refunded debt that is not applied yet. */
const POOL = 8
/** The index of the instant until which the line is kept, so that every process hears of its end. */
const UNTIL = 9
/** The index of the sum of the holes. */
const GONE = 10
/** The index of the first hole. A hole is a pair (p, c): c units up to position p have left. Sorted by p, without neighbours. */
const HOLES = 11

/** The most holes of a line: 2 kB. */
const MOST_HOLES = 128
/** How long a line is kept after the last of its callers has started, in microseconds. */
const ECHO = 2.5e6
/** The time within which a refund is applied, in microseconds. */
const REFUND_TIME = 1e6

/** A place in a line. */
export interface Place {
  /** The cost units in front of the caller's end: its own, and all that were placed before. */
  readonly position: number
  /** The id of the line. */
  readonly born: number
}

/** The place of a caller that was charged, and for which nobody need wait: it is in no line. */
export const NOBODY_AHEAD: Place = { position: 0, born: -1 }

/** Whether a caller is in a line, so that its place is lost with it. */
export function isInLine(place: Place | undefined): place is Place {
  return place !== undefined && place.born >= 0
}

/** Whether a bucket's state has a line. */
export function hasLine(state: State): boolean {
  return state.length > PARTS
}

/** Whether a bucket's state has numbers that this version of Halt does not know. */
export function hasUnknownParts(state: State): boolean {
  return state.length > PARTS && (state[PARTS] !== LINE || state.length < HOLES || state.length % 2 === 0)
}

/** A copy of a line as it is at `now`, in the terms of `rule`. */
export function lineAt(state: State, now: number, rule: Rule): State {
  const paid = [...state]
  payLine(paid, now, rule)
  return paid
}

/** A rule with the unit and the rate of a line, for a change that must not bring other numbers into it, as a refund. */
export function inTermsOf(state: State, rule: Rule): Rule {
  const [, , , unit, rate] = state as [number, number, number, number, number]
  return unit === rule.unit && rate === rule.rate ? rule : { ...rule, unit, rate }
}

/**
 * Brings a line to `now`, and into the terms of `rule`: time pays the debt back at the rate that was in force, and refunds are
 * applied evenly within about a second, so that no two callers start at once by them. A cool-down freezes the line.
 */
export function payLine(state: State, now: number, rule: Rule): void {
  const from = Math.max(state[1]!, Math.min(state[0]!, now))
  const elapsed = now > from ? now - from : 0
  const [, at, , unit, rate] = state as [number, number, number, number, number]
  const pool = state[POOL]!
  const extra = Math.min(pool, speedUp(pool, rate) * elapsed)
  // If the clock stepped back after a failover, the same time must not be paid back twice.
  if (now > at) state[1] = now
  state[2] = state[2]! - rate * elapsed - extra
  state[POOL] = pool - extra
  const room = rule.capacity * unit
  applyPool(state, room)
  sweep(state, room)
  applyPool(state, room)
  if (unit !== rule.unit) {
    state[2] = convertDebt(state[2], unit, rule.unit)
    state[POOL] = convertDebt(state[POOL], unit, rule.unit, Math.floor)
  }
  state[3] = rule.unit
  state[4] = rule.rate
}

/** Gives the caller at the end of the line its place. `state` is paid. Makes a line if there is none. */
export function joinLine(state: State, now: number, cost: number): void {
  if (hasLine(state)) state[TAIL]! += cost
  else state.push(LINE, now, cost, 0, 0, 0)
}

/** Gives units back to a paid line. At most a capacity, because time has paid the rest already. */
export function refundToLine(state: State, amount: number, rule: Rule): void {
  const back = amount * rule.unit
  const room = rule.capacity * rule.unit
  if (state[2]! > room) state[POOL] = Math.min(state[POOL]! + Math.min(back, room), MAX_EXACT)
  else state[2] = Math.max(0, state[2]! - back)
}

/**
 * Removes a place from a paid line. Those behind it move up, at its turn at the latest. A place that the line does not have was at its
 * turn: nobody has used its units, so they are given back at once.
 *
 * A place beyond {@link MOST_HOLES} gaps stays: time passes it as if its caller had started.
 */
export function leave(state: State, cost: number, { position, born }: Place, rule: Rule): void {
  const tail = state[TAIL]!
  const room = rule.capacity * rule.unit
  const isThere = state[BORN] === born && position <= tail && position >= cost
  if (isThere && position === tail) {
    state[TAIL] = tail - cost
    state[2] = state[2]! - cost * rule.unit
  } else if (isThere && state[2]! - (tail - position + cost) * rule.unit > room)
    addHole(state, position, cost)
  else state[2] = state[2]! - cost * rule.unit
  sweep(state, room)
  applyPool(state, room)
}

/** Lets a capacity of a paid line start at once. The rest of the line stays, in order. */
export function resetLine(state: State, rule: Rule): void {
  const room = rule.capacity * rule.unit
  state[0] = 0
  state[2] = Math.max(0, state[2]! - room)
  sweep(state, room)
  applyPool(state, room)
}

/** Keeps a line that was changed at `now` for as long as somebody may wait in it; drops it afterwards. */
export function keepLine(state: State, now: number, rule: Rule): void {
  const room = rule.capacity * rule.unit
  const [cooldown, , debt] = state as [number, number, number]
  if (debt > room || now < cooldown) {
    const until = Math.max(now, cooldown) + Math.max(0, Math.ceil((debt - room) / rule.rate)) + ECHO
    if (until > state[UNTIL]!) state[UNTIL] = Math.min(until, MAX_EXACT)
  } else if (now > state[UNTIL]!) state.length = PARTS
}

/** The instant from which a line is over, and its bucket equals a fresh one. Microseconds. */
export function lineEnd(state: State): number {
  const full = Math.max(state[1]!, state[0]!) + Math.ceil(state[2]! / state[4]!)
  return Math.max(full, state[UNTIL]! + 1)
}

/** Microseconds until `cost` more units fit behind a paid line, a cool-down included. */
export function waitBehind(state: State, now: number, cost: number, rule: Rule): number {
  const gone = hasLine(state) ? state[GONE]! : 0
  const pool = hasLine(state) ? state[POOL]! : 0
  return (
    Math.max(0, state[0]! - now) +
    timeToPay(state[2]! + (cost - gone) * rule.unit - rule.capacity * rule.unit, pool, rule.rate)
  )
}

/** Microseconds until time and refunds have paid an amount of debt: the first at which enough is paid. */
export function timeToPay(debt: number, pool: number, rate: number): number {
  if (debt <= 0) return 0
  const slow = Math.ceil(debt / rate)
  return pool === 0
    ? slow
    : Math.max(Math.ceil(debt / (rate + speedUp(pool, rate))), Math.ceil((debt - pool) / rate))
}

/** The debt that refunds pay back in a microsecond, beside time. */
export function speedUp(pool: number, rate: number): number {
  return Math.max(rate, Math.floor(pool / REFUND_TIME))
}

/** The cost units of callers that have left a line and still have a position in it. */
export function unitsThatLeft(state: State): number {
  return hasLine(state) ? state[GONE]! : 0
}

/** A line as a process hears of it. */
export interface LineReading {
  readonly born: number
  readonly tail: number
  /** Debt that callers in front may still add before position 0 starts: a position starts when its units are within this. */
  readonly front: number
  readonly pool: number
  /** The places that were left: pairs of a position and its units, in order. */
  readonly holes: readonly number[]
}

/** Reads a line out of a bucket's state, as of the instant of that state. Undefined if it has none. */
export function readLine(state: State, rule: Rule): LineReading | undefined {
  if (!hasLine(state)) return undefined
  const [, , debt, unit] = state as [number, number, number, number]
  const tail = state[TAIL]!
  return {
    born: state[BORN]!,
    tail,
    front: rule.capacity * unit - debt + tail * unit,
    pool: state[POOL]!,
    holes: state.slice(HOLES),
  }
}

/** Removes the holes that the front has reached, and those at the end. */
function sweep(state: State, room: number): void {
  const unit = state[3]!
  while (state.length > HOLES) {
    const [position, units] = [state[HOLES]!, state[HOLES + 1]!]
    if (state[2]! - (state[TAIL]! - position + units) * unit > room) break
    state.splice(HOLES, 2)
    state[GONE]! -= units
    state[2]! -= units * unit
  }
  while (state.length > HOLES && state.at(-2) === state[TAIL]) {
    const units = state.pop()!
    state.pop()
    state[TAIL]! -= units
    state[GONE]! -= units
    state[2]! -= units * unit
  }
}

/** Applies what is left of the refunds as soon as nobody waits. */
function applyPool(state: State, room: number): void {
  if (state[2]! <= room) {
    state[2] = Math.max(0, state[2]! - state[POOL]!)
    state[POOL] = 0
  }
}

/** Notes a place that was left, unless there are too many. */
function addHole(state: State, position: number, units: number): void {
  let at = HOLES
  while (at < state.length && state[at]! < position) at += 2
  const before = at > HOLES && state[at - 2] === position - units ? state[at - 1]! : 0
  const touches = at < state.length && state[at]! - state[at + 1]! === position
  if (before === 0 && !touches && state.length - HOLES >= 2 * MOST_HOLES) return
  state[GONE]! += units
  if (before > 0) state.splice(at - 2, 2)
  const place = before > 0 ? at - 2 : at
  if (touches) state[place + 1]! += units + before
  else state.splice(place, 0, position, units + before)
}
