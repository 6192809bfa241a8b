// Every order in which two processes and a store can do the steps of the model of the line, with answers that are lost or late, a process
// that ends, callers that leave, a limit that changes, and a store that comes back empty.
import { expect, it } from 'vitest'

import { isFull } from '../../../../../tools/full.ts'
import { visitAll } from '../../model-search.ts'
import type { Line, Place, Terms } from './line-bucket.ts'
import { flawOf, lagOf } from './line-judge.ts'
import { LineModel } from './line-model.ts'
import type { Mistake } from './line-process.ts'
import { begin, type Caller, standingIn, type State } from './line-state.ts'

/** How far the search goes. */
interface Bounds {
  readonly callers: number
  /** Questions that are given up. */
  readonly failures: number
  /** Callers that leave, processes that end, limits that change, stores that lose all. */
  readonly events: number
  readonly kinds: readonly Event[]
  readonly rate: number
  /** Whose callers come, one after the other. By default each may be of any process. */
  readonly order?: readonly number[]
  readonly unit?: number
  /** The last instant at which callers come. */
  readonly comeUntil?: number
}

type Event = 'leave' | 'crash' | 'change' | 'wipe'

const TERMS: Terms = { unit: 4, capacity: 1, look: 3, echo: 7, refundTime: 3, instances: 2 }
const TIMEOUT = 1
/** When a question or an answer that nobody awaits is lost at the latest. */
const LATE = 3
const PATIENCE = { timeout: TIMEOUT, hear: TERMS.look + 2 * TIMEOUT }
/** No caller waits longer. */
const LONGEST = 80

/** A state, and what is left of the bounds. */
interface Point {
  readonly state: State
  readonly failures: number
  readonly events: number
}

function search(bounds: Bounds, mistake?: Mistake): ReturnType<typeof visitAll> {
  const { failures, events, rate, unit = TERMS.unit } = bounds
  const model = new LineModel({ ...TERMS, unit }, PATIENCE, mistake)
  return visitAll<Point>({
    first: { state: begin([rate, rate]), failures, events },
    next: point => steps(model, point, bounds),
    keyOf,
    flawOf: ({ state }) => flawOf(state) ?? forgotten(model, state),
  })
}

function forgotten(model: LineModel, state: State): string | undefined {
  if ([0, 1].some(process => model.forgets(state, process)))
    return 'nothing will happen to a caller that waits'
  const waits = ({ phase, asked }: Caller): boolean =>
    (phase === 'asking' || phase === 'standing') && state.now - asked > LONGEST
  if (state.callers.some(waits)) return 'a caller waits without end'
  const { slowest, isSlower } = state.judge
  const lag = slowest + lagOf(TERMS, PATIENCE)
  const isLate = ({ phase, ready = Infinity }: Caller): boolean =>
    phase === 'standing' && state.now - ready > lag
  return !isSlower && state.callers.some(isLate)
    ? 'a caller does not start, though its turn has come'
    : undefined
}

/** The points that follow one. None follows where nobody waits any more. */
function steps(model: LineModel, point: Point, bounds: Bounds): Point[] {
  const { state, failures, events } = point
  const next: Point[] = []
  const add = (then: State, more: Partial<Point> = {}): void =>
    void next.push({ ...point, ...more, state: then })
  const isOpen = ({ phase }: Caller): boolean => phase === 'asking' || phase === 'standing'
  if (!isComing(state, bounds) && state.messages.length === 0 && !state.callers.some(isOpen)) return next
  let isUrgent = false
  for (const [process, { isAlive, belief }] of state.processes.entries()) {
    if (!isAlive) continue
    if (model.mayStart(state, process)) {
      isUrgent = true
      add(model.start(state, process))
    } else if (belief.looksAt <= state.now && standingIn(state, process).length > 0) {
      isUrgent = true
      add(model.look(state, process))
    }
  }
  for (const [at, message] of state.messages.entries()) {
    const { answer, isAwaited, sent, process } = message
    const before = state.messages.slice(0, at).filter(one => one.process === process)
    // The questions of a process arrive in order. So do those of its answers that were decided at one instant.
    if (answer === undefined) {
      if (before.every(one => one.answer !== undefined)) add(model.arrive(state, at))
    } else if (before.every(one => one.answer?.now !== answer.now)) add(model.hear(state, at))
    if (isAwaited && failures > 0) add(model.giveUp(state, at), { failures: failures - 1 })
    if (!isAwaited) add(model.lose(state, at))
    if (state.now - sent >= (isAwaited ? TIMEOUT : LATE)) isUrgent = true
  }
  if (events > 0) for (const then of eventsOf(model, state, bounds.kinds)) add(then, { events: events - 1 })
  if (isComing(state, bounds))
    for (const [process, { isAlive }] of state.processes.entries())
      if (isAlive && mayCome(process, state.callers.length, bounds))
        add(model.ask(state, process, 1, Infinity))
  if (!isUrgent) add(model.pass(state, state.now + 1))
  return next
}

function isComing({ now, callers }: State, { callers: most, comeUntil = Infinity }: Bounds): boolean {
  return callers.length < most && now <= comeUntil
}

/** Both processes are alike, so it does not matter which is the first to ask. */
function mayCome(process: number, at: number, { order }: Bounds): boolean {
  return order === undefined ? process === 0 || at > 0 : order[at] === process
}

function eventsOf(model: LineModel, state: State, kinds: readonly Event[]): State[] {
  const then: State[] = []
  const living = [0, 1].filter(process => state.processes[process]!.isAlive)
  if (kinds.includes('leave'))
    for (const [at, { phase, process }] of state.callers.entries())
      if (phase === 'asking' || phase === 'standing') then.push(model.leave(state, process, [at]))
  if (kinds.includes('crash')) for (const process of living) then.push(model.crash(state, process))
  if (kinds.includes('wipe') && state.bucket !== undefined && state.bucket.line?.born !== state.now)
    then.push(model.wipe(state))
  if (kinds.includes('change'))
    for (const rate of [1, 2])
      if (living.every(process => state.processes[process]!.rate !== rate))
        then.push(living.reduce((after, process) => model.change(after, process, rate), state))
  return then
}

/** The same text for states that differ only in when they are. */
function keyOf({ state, failures, events }: Point): string {
  const { now, bucket, processes, callers, messages, ledger, judge } = state
  let key = `${failures} ${events} ${judge.allowed} ${judge.slowest} ${judge.isChanged} ${judge.isSlower} ${Math.max(judge.wipedAt - now, -9)}`
  for (const { from, value } of judge.starts) key += ` ${from - now}:${value}`
  for (const { from, value } of judge.rates) key += ` r${Math.max(from - now, -30)}:${value}`
  if (bucket !== undefined) {
    const { at, debt, rate, line } = bucket
    key += `|${at - now} ${debt} ${rate}`
    if (line !== undefined) key += ` ${line.until - now} ${line.swept} ${ledger.past}${textOfLine(line, now)}`
  }
  for (const { isAlive, rate, belief, cutOffAt } of processes) {
    key += `|${isAlive} ${rate}`
    if (belief.heardAt === -Infinity) continue
    const { reading, heardAt, heardCame, lag, readAt, endedAt, looksAt, misses, lastStart } = belief
    key += ` ${heardAt - now} ${heardCame - now} ${lag} ${readAt - now} ${endedAt - now} ${looksAt - now} ${lastStart - now}`
    key += ` ${misses} ${Math.max(cutOffAt - now, -11)} ${belief.rate}`
    if (reading !== undefined) key += ` ${reading.front}${textOfLine(reading, now)}`
  }
  for (const { process, phase, place, owes, isPlacing, rate, asked, told, ready } of callers) {
    key += `|${process}${phase}`
    if (phase !== 'started' && phase !== 'over') key += ` ${rate} ${asked - now} ${told - now}`
    if (phase === 'standing')
      key += ` ${textOfPlace(place, now)} ${owes.start - now} ${owes.time} ${isPlacing} ${ready === undefined ? '' : ready - now}`
  }
  for (const { kind, process, callers: about, cost, rate, place, sent, isAwaited, answer } of messages) {
    key += `|${kind}${process} ${about.join()} ${cost} ${rate} ${sent - now} ${isAwaited}${textOfPlace(place, now)}`
    if (answer === undefined) continue
    key += ` ${answer.now - now} ${answer.wait} ${answer.rate} ${textOfPlace(answer.end, now)}`
    if (answer.reading !== undefined) key += ` ${answer.reading.front}${textOfLine(answer.reading, now)}`
  }
  return key
}

function textOfLine(
  { born, tail, pool, holes }: Pick<Line, 'born' | 'tail' | 'pool' | 'holes'>,
  now: number,
): string {
  return ` ${born - now} ${tail} ${pool} ${holes.length === 0 ? '' : holes.join()}`
}

function textOfPlace(place: Place | undefined, now: number): string {
  if (place === undefined) return '-'
  return place.born < 0 ? '!' : `@${place.born - now}:${place.position}`
}

const ALL: readonly Event[] = ['leave', 'crash', 'change', 'wipe']
const NONE: Bounds = { callers: 2, failures: 0, events: 0, kinds: ALL, rate: 1, comeUntil: 0 }

/** The searches, and how many states each has at least. */
const SHORT: readonly (readonly [Partial<Bounds>, number])[] = [
  [{ order: [0, 0], failures: 1, events: 1, kinds: ['leave', 'wipe'] }, 7000],
]
const FULL: readonly (readonly [Partial<Bounds>, number])[] = [
  [{ failures: 1, events: 1 }, 70_000],
  [{ callers: 3, failures: 1, comeUntil: Infinity }, 400_000],
  [{ callers: 3, events: 1, kinds: ['leave'], comeUntil: Infinity }, 200_000],
  [{ callers: 3, events: 1, kinds: ['crash'], comeUntil: Infinity }, 150_000],
  [{ callers: 3, events: 1, kinds: ['wipe'], comeUntil: Infinity }, 300_000],
  [{ callers: 3, events: 1, kinds: ['change'], comeUntil: Infinity }, 600_000],
  [{ callers: 3, events: 1, kinds: ['change'], rate: 2 }, 10_000],
  [{ failures: 1, events: 1, comeUntil: Infinity }, 150_000],
  [{ failures: 2, events: 1 }, 100_000],
  [{ callers: 3, order: [0, 0, 1], events: 2, kinds: ['leave', 'wipe'] }, 200_000],
]

it.each(isFull ? FULL : SHORT)(
  'no order of steps within %j lets too much start, loses count of a unit, or forgets a caller',
  (bounds, least) => {
    const { flaw, states } = search({ ...NONE, ...bounds })
    expect(flaw).toBeUndefined()
    expect(states).toBeGreaterThan(least)
  },
)

/** Mistakes, and the least bounds in which each is found. */
const MISTAKES: readonly (readonly [Mistake, Partial<Bounds>])[] = [
  ['asks again when an answer is late', { order: [0, 0], failures: 1 }],
  ['keeps units whose answer came too late', { order: [0, 0], failures: 1 }],
  ['believes old answers', { order: [0, 0], failures: 1 }],
  ['lets a caller that leaves keep its place', { order: [0, 0], events: 1, kinds: ['leave'] }],
  ['gives the place of a caller that left back twice', { order: [0, 0], events: 1, kinds: ['leave'] }],
  ['pays past time at the new rate', { callers: 3, order: [0, 0, 0], events: 1, kinds: ['change'] }],
  ['starts all callers whose places are lost at once', { order: [0, 0], events: 1, kinds: ['wipe'] }],
  ['starts the first caller whose place is lost at once', { order: [0, 0], events: 1, kinds: ['wipe'] }],
  ['gives back what the store has lost', { order: [0, 0], events: 2, kinds: ['wipe', 'leave'] }],
  ['never looks', { callers: 3, order: [0, 0, 0], events: 1, kinds: ['wipe'] }],
]

/** Those that need more states. */
const RARE: readonly (readonly [Mistake, Partial<Bounds>])[] = [
  [
    'lets those who wait keep the old rate',
    { callers: 3, order: [0, 0, 0], events: 1, kinds: ['change'], rate: 2, unit: 8 },
  ],
  [
    'moves those in front of a caller that leaves',
    { callers: 4, order: [0, 0, 0, 0], events: 1, kinds: ['leave'] },
  ],
  [
    'waits for the places of a process that has ended',
    { callers: 3, order: [0, 0, 1], events: 1, kinds: ['crash'] },
  ],
  [
    'takes a new line for the old one',
    { callers: 4, order: [0, 0, 0, 0], events: 1, kinds: ['wipe'], comeUntil: 1 },
  ],
  ['asks only once for lost places', { order: [0, 0], failures: 1, events: 1, kinds: ['wipe'], unit: 6 }],
]

it.each(isFull ? [...MISTAKES, ...RARE] : MISTAKES)(
  'the search finds a protocol that %s',
  (mistake, bounds) => {
    expect(search({ ...NONE, ...bounds }, mistake).flaw).toBeDefined()
  },
)
