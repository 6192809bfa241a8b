import { MAX_EXACT, type Rule, type State, codes } from './rule.ts'

/** Converts a debt from one unit to another. `round` decides about a part below 1. */
export function convertDebt(
  debt: number,
  from: number,
  to: number,
  round: (part: number) => number = Math.ceil,
): number {
  const whole = Math.floor(debt / from)
  const converted = whole * to + round(((debt - whole * from) / from) * to)
  return converted < MAX_EXACT ? converted : MAX_EXACT
}

/** The debt of a bucket without a line, some microseconds after its last change, in the terms of `rule`. */
export function debtAfter(elapsed: number, state: State, { unit, rate }: Rule): number {
  let debt = state[2]!
  // A product above 2^53 is inexact, but still above any debt, so both comparisons are right.
  if (elapsed * state[4]! >= debt) return 0
  if (state[3] !== unit) debt = convertDebt(debt, state[3]!, unit)
  const paid = elapsed * rate
  return paid >= debt ? 0 : debt - paid
}

/** The index of the bits that name the parts which a bucket has behind its own five numbers. */
export const PARTS = 5
/** The bit of a line: callers wait for the bucket. */
export const LINE = 1
/** The bit of a virtual clock: tenants take fair shares of the bucket. */
const CLOCK = 2

// The virtual clock of a bucket that tenants share fairly.
//
// It counts the units per weight that a tenant which always asks has received. It runs with real time, and the debt of the bucket
// sets its speed: fast while the bucket is full, slower the less is left. So the speed settles where the tenants that want more get
// the max-min share each, and nobody computes that share or counts the tenants.
//
// Source: virtual time of fair queueing (Parekh and Gallager, 1993; Goyal et al., start-time fair queueing, 1996), paced by the
// occupancy of the bucket instead of by a queue.

/** How many speeds there are below the highest. Each is a quarter of the one before. */
const BANDS = 10
const RATIO = 4
/**
 * A band is at least one unit, and the debt that is paid back in this time. Callers that wait ask again when their turn may have come, by
 * timers and over a network. In a narrower band the clock would pass the turns of many before one of them has asked. Microseconds.
 */
const LEAST_BAND = 2000
/** The highest speed, in multiples of the speed at which one tenant of weight 1 gets the whole rate. */
const TOP = 16
/** The first reading of a clock. Tags behind it are still positive. */
const FIRST = 2 ** 46
/** The last reading of a clock. A new one begins then. */
const LAST = 2 ** 52
/** How long a tag is kept at least. Microseconds. */
const KEPT = 60e6

/** The numbers of the virtual clock of a rule. */
export interface Pace {
  /** The debt up to which everybody passes. */
  readonly plenty: number
  /** The debt of one band above that. */
  readonly band: number
  /** The virtual units of one unit of cost at weight 1. */
  readonly perUnit: number
  /** The highest speed, in virtual units a microsecond. */
  readonly top: number
  /** How long a tag is kept after its last charge. Microseconds. */
  readonly kept: number
}

/** A virtual clock at an instant. */
export interface VirtualClock {
  readonly reading: number
  /** The instant at which the clock began, which is its id. Tags of another clock mean nothing to it. */
  readonly epoch: number
}

const paces = new WeakMap<Rule, Pace>()

/** The numbers of the virtual clock of a rule. */
export function paceOf(rule: Rule): Pace {
  let pace = paces.get(rule)
  if (pace === undefined) paces.set(rule, (pace = makePace(rule)))
  return pace
}

function makePace({ capacity, unit, rate }: Rule): Pace {
  const room = capacity * unit
  const paid = Math.ceil(room / rate)
  const perUnit = Math.max(1, Math.floor(Math.min(2 ** 46, 2 ** 18 * paid) / capacity))
  return {
    plenty: room - Math.floor(room / 2),
    band: Math.ceil(Math.max(room / 2, BANDS * unit, BANDS * LEAST_BAND * rate) / BANDS),
    perUnit,
    top: Math.max(1, Math.floor((TOP * perUnit * capacity) / paid)),
    kept: Math.max(16 * paid, KEPT),
  }
}

/**
 * Takes the virtual clock out of a stored bucket, which is then as any other, and brings the clock to `now`. Undefined if the bucket
 * has none, or one that is over because nobody has charged the bucket for long.
 *
 * If the terms of the bucket have changed, the clock goes on, by the numbers of `rule`: a virtual unit is a share of time at the whole
 * rate, whatever the rate. So old and new numbers may alternate, as where old charges are settled after a change.
 */
export function takeClock(state: State, now: number, rule: Rule): VirtualClock | undefined {
  // Other counters have numbers there that mean something else.
  if (rule.code !== codes['token-bucket'] || !hasClock(state)) return undefined
  const [reading, epoch, until] = state.splice(-3) as [number, number, number]
  if (state[PARTS] === CLOCK) state.length = PARTS
  else state[PARTS]! -= CLOCK
  const elapsed = Math.max(0, now - state[1]!)
  if (until <= now || elapsed > LAST / paceOf(rule).top) return undefined
  const later = reading + advance(debtAfter(0, state, rule), elapsed, rule)
  return later < LAST ? { reading: later, epoch } : undefined
}

/** Whether a stored bucket has a virtual clock that this version of Halt knows. */
export function hasClock(state: State): boolean {
  const { length } = state
  const parts = length > PARTS ? state[PARTS]! : 0
  return parts === CLOCK ? length === PARTS + 4 : parts > CLOCK && parts < 2 * CLOCK && length > PARTS + 4
}

/** The bucket with its virtual clock, as it is stored, and the instant from which it equals a fresh one. */
export function withClock(
  state: State,
  { reading, epoch }: VirtualClock,
  now: number,
  rule: Rule,
): { readonly state: State; readonly until: number } {
  const [cooldown, at, owed, oldUnit, oldRate] = state as [number, number, number, number, number]
  // The reading is that of `now`, so the debt must be, too. A line was paid already.
  const isPaid = state.length > PARTS || at >= now
  const [unit, rate] = isPaid ? [oldUnit, oldRate] : [rule.unit, rule.rate]
  const debt = isPaid ? owed : debtAfter(now - at, state, rule)
  const until = now + Math.ceil(debt / rate) + paceOf(rule).kept
  const parts = state.length > PARTS ? state[PARTS]! + CLOCK : CLOCK
  const bucket = [cooldown, Math.max(at, now), debt, unit, rate, parts]
  return { state: [...bucket, ...state.slice(PARTS + 1), reading, epoch, until], until }
}

/** A virtual clock that begins. */
export function newClock(now: number): VirtualClock {
  return { reading: FIRST, epoch: now }
}

/** How far a clock runs in some microseconds, from a debt on that nobody adds to. */
export function advance(debt: number, elapsed: number, rule: Rule): number {
  let [owed, left, sum] = [debt, elapsed, 0]
  for (let band = bandOf(debt, rule); band > 0 && left > 0; band--) {
    const steps = Math.min(left, stepsIn(band, owed, rule))
    sum += steps * speedIn(band, rule)
    owed -= steps * rule.rate
    left -= steps
  }
  return sum + left * speedIn(0, rule)
}

/** The microseconds in which a clock runs so far, from a debt on that nobody adds to. The inverse of {@link advance}, rounded up. */
export function timeTo(distance: number, debt: number, rule: Rule): number {
  let [owed, rest, time] = [debt, distance, 0]
  for (let band = bandOf(debt, rule); band > 0 && rest > 0; band--) {
    const [steps, speed] = [stepsIn(band, owed, rule), speedIn(band, rule)]
    if (steps * speed >= rest) return time + Math.ceil(rest / speed)
    rest -= steps * speed
    owed -= steps * rule.rate
    time += steps
  }
  return rest > 0 ? time + Math.ceil(rest / speedIn(0, rule)) : time
}

/** The band of a debt: 0 while there is plenty. */
function bandOf(debt: number, rule: Rule): number {
  const { plenty, band } = paceOf(rule)
  return debt <= plenty ? 0 : Math.min(BANDS, 1 + Math.floor((debt - plenty - 1) / band))
}

/** The microseconds that begin within a band. */
function stepsIn(at: number, debt: number, rule: Rule): number {
  const { plenty, band } = paceOf(rule)
  return Math.max(0, Math.ceil((debt - plenty - (at - 1) * band) / rule.rate))
}

/** The speed in a band, in virtual units a microsecond. */
function speedIn(band: number, rule: Rule): number {
  return Math.max(1, Math.floor(paceOf(rule).top / RATIO ** Math.max(0, band - 1)))
}

/** The speed at a debt, in virtual units a microsecond. */
export function speedAt(debt: number, rule: Rule): number {
  return speedIn(bandOf(debt, rule), rule)
}
