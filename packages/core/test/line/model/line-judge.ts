// What must be true of every state of the model of the line: how much may start, and who has each unit that was charged.
import { type Bucket, type Place, sumOf, type Terms } from './line-bucket.ts'
import { type Judge, type State, type Step, withLedger } from './line-state.ts'

/** How long nobody need have heard of a change. */
export interface Patience {
  /** The longest time that a question is waited for. */
  readonly timeout: number
  /** For how long after a change of the limit the old one may still hold somewhere. */
  readonly hear: number
}

/** The longest time for which a process need not have heard of what has changed. */
export function lagOf({ look }: Terms, { timeout }: Patience): number {
  return look + 2 * timeout
}

/** Counts units that start now and were due before, as far as the bounds let callers be late. */
export function startUnits(
  state: State,
  units: number,
  due: number,
  terms: Terms,
  patience: Patience,
): State {
  const { capacity, unit } = terms
  const { starts, rates, allowed, slowest, isChanged, isSlower } = state.judge
  const lag = slowest + (isChanged ? lagOf(terms, patience) : 0)
  const from = Math.max(due, state.now - lag)
  const all = [...starts, { from, value: units }].sort((a, b) => a.from - b.from)
  let flaw: string | undefined
  for (const [i, first] of all.entries()) {
    let started = 0
    for (const { from: to, value } of all.slice(i)) {
      started += value * unit
      if (started > capacity * unit + allowed + paidBetween(rates, first.from, to))
        flaw = 'more started than the bounds allow'
    }
  }
  if (from > due && !isSlower) flaw ??= 'a caller started later than the bounds allow'
  const judged = withJudge(state, { starts: all })
  return flaw === undefined ? judged : flawed(judged, flaw)
}

function paidBetween(rates: readonly Step[], from: number, to: number): number {
  let sum = 0
  for (const [i, step] of rates.entries()) {
    const [begin, end] = [Math.max(from, step.from), Math.min(to, rates[i + 1]?.from ?? Infinity)]
    if (begin < end) sum += step.value * (end - begin)
  }
  return sum
}

/** Forgets starts whose debt is paid: no interval that begins with them can have too much that has none from a later instant on. */
export function forgetStarts(state: State, terms: Terms, patience: Patience): State {
  const { starts, rates, slowest } = state.judge
  const [first] = starts
  if (first === undefined) return state
  const all = starts.reduce((sum, { value }) => sum + value * terms.unit, 0)
  const paid = paidBetween(rates, first.from, state.now - slowest - lagOf(terms, patience))
  return paid < all ? state : forgetStarts(withJudge(state, { starts: starts.slice(1) }), terms, patience)
}

/** Allows more to start: what was refunded, what a lost counter had, the shares of an outage. */
export function allow(state: State, debt: number): State {
  return withJudge(state, { allowed: state.judge.allowed + debt, isChanged: true })
}

/** Notes a change that processes hear of later. */
export function changed(state: State): State {
  return state.judge.isChanged ? state : withJudge(state, { isChanged: true })
}

/** Notes what a step itself found. */
export function flawed(state: State, flaw: string): State {
  return withJudge(state, { flaw: state.judge.flaw ?? flaw })
}

/** Notes how long an answer took. */
export function heardAfter(state: State, time: number): State {
  return time <= state.judge.slowest ? state : withJudge(state, { slowest: time })
}

/** Notes another highest rate. A higher one counts at once, a lower one when all have heard. */
export function rated(state: State, before: number, rate: number, hear: number): State {
  const step = { from: state.now + (rate < before ? hear : 0), value: rate }
  return withJudge(state, { rates: [...state.judge.rates, step], isChanged: true, isSlower: true })
}

/** Notes that the store has lost all that it had. */
export function wiped(state: State): State {
  return withJudge(state, { wipedAt: state.now, isChanged: true, isSlower: true })
}

function withJudge(state: State, changes: Partial<Judge>): State {
  return { ...state, judge: { ...state.judge, ...changes } }
}

/** Notes that nobody has the place of some units any more, as the front passes it or has passed it. */
export function pastPlace(state: State, place: Place | undefined, units: number): State {
  if (place === undefined || place.born !== state.bucket?.line?.born) return state
  return withLedger(state, { past: state.ledger.past + units })
}

/** Puts what the store has now in the place of what it had. Of a line that is no more nobody has a place. */
export function withBucket(state: State, bucket: Bucket | undefined): State {
  if (bucket === state.bucket) return state
  const isSame = bucket?.line !== undefined && bucket.line.born === state.bucket?.line?.born
  return isSame || state.ledger.past === 0
    ? { ...state, bucket }
    : withLedger({ ...state, bucket }, { past: 0 })
}

/** What is wrong with a state. */
export function flawOf(state: State): string | undefined {
  return state.judge.flaw ?? flawOfUnits(state) ?? flawOfPlaces(state)
}

/** Every unit that was charged was used, is somebody's, is on its way back, or was lost once. */
function flawOfUnits({ callers, messages, ledger }: State): string | undefined {
  let known = ledger.used + ledger.lost + ledger.wiped
  for (const { phase, cost, place, owes } of callers)
    if (phase === 'standing' && (place !== undefined || owes.time === 0)) known += cost
  for (const { kind, answer, cost } of messages) {
    if ((kind === 'ask' || kind === 'place') && answer?.wait !== undefined) known += cost
    if ((kind === 'leave' || kind === 'refund') && answer === undefined) known += cost
  }
  return known === ledger.charged - ledger.returned
    ? undefined
    : 'a unit that was charged is not accounted for'
}

/** The tail of the line is made of places that are past, given back, or somebody's, and nobody's are another's, too. */
function flawOfPlaces({ bucket, callers, messages, ledger }: State): string | undefined {
  const line = bucket?.line
  if (line === undefined) return undefined
  const ends: (readonly [end: number, units: number])[] = [...line.holes]
  for (const { phase, place, cost } of callers)
    if (phase === 'standing' && place?.born === line.born) ends.push([place.position, cost])
  for (const { kind, answer, cost, place } of messages) {
    const isGiven = (kind === 'ask' || kind === 'place') && answer?.end.born === line.born
    if (isGiven) ends.push([answer.end.position, cost])
    if (kind === 'leave' && answer === undefined && place.born === line.born)
      ends.push([place.position, cost])
  }
  ends.sort((a, b) => a[0] - b[0])
  let before = 0
  for (const [end, units] of ends) {
    if (end - units < before) return 'two have the same place'
    before = end
  }
  if (before > line.tail) return 'somebody has a place that the line does not have'
  return sumOf(ends) + ledger.past + line.swept === line.tail ? undefined : 'a place is not accounted for'
}
