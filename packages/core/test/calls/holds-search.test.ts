// Every order in which two processes and a store can do the steps of the model of holds, with lost questions and answers, a process that
// ends, a limit that changes, granted units, and the edge of a period.
import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { visitAll } from '../model-search.ts'
import {
  begin,
  type Call,
  flawOf,
  HoldsModel,
  type Message,
  type Mistake,
  type State,
} from './holds-model.ts'

/** How far the search goes. */
interface Bounds {
  /** Questions to the store, of both processes together. */
  readonly questions: number
  /** Those that are under way at once. */
  readonly underWay: number
  readonly calls: number
  readonly horizon: number
  /** Instants, as the store counts time. */
  readonly period: number
  /** For how many instants units are held. */
  readonly lengths: readonly number[]
  /** The limits that a process may hear of. */
  readonly changes: readonly number[]
}

const BOUNDS: Bounds = {
  questions: 3,
  underWay: isFull ? 2 : 1,
  calls: 2,
  horizon: 2,
  period: 2,
  lengths: isFull ? [1, 0] : [1],
  changes: [2],
}

/** A state, and what is left of the bounds. */
interface Point {
  readonly state: State
  readonly questions: number
  /** Processes that may end, limits that may change, grants. */
  readonly events: number
}

/** Visits every state. Returns the first flaw, and how many states there are. */
function search(bounds: Bounds, mistake?: Mistake): ReturnType<typeof visitAll> {
  const { period, questions } = bounds
  const periodEnd = (now: number): number => (Math.floor(now / period) + 1) * period
  const model = new HoldsModel({ periodEnd, holdEnd: (now, length) => now + length }, mistake)
  return visitAll<Point>({
    first: { state: begin([3, 3]), questions, events: 1 },
    next: point => steps(model, point, bounds),
    keyOf,
    flawOf: ({ state }) => flawOf(state),
  })
}

/** The points that follow one. None follows where nobody asks any more. */
function steps(model: HoldsModel, point: Point, bounds: Bounds): Point[] {
  const { state, questions, events } = point
  const next: Point[] = []
  const add = (then: State, more: Partial<Point> = {}): void =>
    void next.push({ ...point, ...more, state: then })
  if (questions + state.messages.length === 0) return next
  if (state.now < bounds.horizon) add(model.pass(state, state.now + 1))
  for (const [at, message] of state.messages.entries()) {
    const { answer, isAwaited, question } = message
    add(answer === undefined ? model.arrive(state, at) : model.hear(state, at))
    add(isAwaited ? model.giveUp(state, at) : model.lose(state, at))
    if (isAwaited && answer === undefined && !question.tells) add(model.refuse(state, at))
  }
  if (events > 0) {
    for (const process of [0, 1]) {
      add(model.end(state, process), { events: events - 1 })
      for (const limit of bounds.changes) add(model.change(state, process, limit), { events: events - 1 })
    }
    add(model.grant(state, 1), { events: events - 1 })
  }
  if (questions === 0 || state.messages.length >= bounds.underWay) return next
  const ask = (then: State): void => add(then, { questions: questions - 1 })
  for (const limit of new Set(state.limits))
    for (const fate of ['heard', 'lost', 'late'] as const) ask(model.check(state, 0, 1, fate, limit))
  for (const process of [0, 1]) {
    // Both processes are alike, so it does not matter which is the first to reserve.
    if (!state.isAlive[process] || state.calls.length < process) continue
    if (state.calls.length < bounds.calls)
      for (const length of bounds.lengths) ask(model.reserve(state, process, 2, length))
    const own = state.calls.flatMap((call, at) =>
      call.process === process && call.phase === 'open' && !call.isBusy ? [at] : [],
    )
    for (const at of own) {
      for (const units of [1, 3]) ask(model.charge(state, at, units, 2))
      for (const actual of [0, 1, 3]) ask(model.settle(state, at, actual))
    }
    const held = own.filter(at => state.calls[at]!.held > 0)
    for (const at of held) ask(model.keep(state, process, [at]))
    const [one, two] = held.map(at => state.calls[at]!)
    if (two !== undefined && one?.to === two.to && one.length === two.length)
      ask(model.keep(state, process, held))
  }
  return next
}

/** Calls and messages never change, and states that follow each other share them. */
const texts = new WeakMap<Call | Message, string>()

function textOf(one: Call | Message): string {
  let text = texts.get(one)
  if (text === undefined) {
    // What nothing asks for any more makes no other state.
    const { period: _, ...rest } =
      'kind' in one ? { ...one, sent: one.kind === 'keep' ? one.sent : 0 } : { ...one, period: 0 }
    texts.set(one, (text = JSON.stringify(Object.values(rest))))
  }
  return text
}

/** The same text for states that differ only in the order of their messages, or in what is over. */
function keyOf({ state, questions, events }: Point): string {
  const { now, end, used, granted, pots, orphans, over, most, limits, isAlive } = state
  let known = state.spent + state.lost
  const isUnderWay = new Set(state.messages.flatMap(({ calls }) => calls))
  const calls = state.calls.map((call, at) => {
    if (call.phase !== 'ended' || isUnderWay.has(at)) return textOf(call)
    if (call.part === end) known += call.inPart
    return '-'
  })
  const pairs = [...pots, { to: -1, units: 0 }, ...orphans].flatMap(({ to, units }) =>
    to >= 0 && to <= now ? [] : `${to}:${units}`,
  )
  const period = now < end ? [end, used, granted, known, over, most, ...pairs] : ['closed', end]
  const messages = state.messages.map(textOf).sort()
  return [questions, events, now, period, limits, isAlive, calls, messages].join(' ')
}

it('no order of steps passes the limit, loses count of a unit, or forgets one that is held', () => {
  const { flaw, states } = search(BOUNDS)
  expect(flaw).toBeUndefined()
  expect(states).toBeGreaterThan(isFull ? 400_000 : 40_000)
})

it.each<Mistake>([
  'pays with what ended',
  'claims units whose place it does not know',
  'holds longer without room',
  'forgets what a refused payment claimed',
  'settles and lets its units be held',
  'settles again without an answer',
  'pays back to any period',
  'pays a lost payment back',
  'uses before it pays',
  'waits for ever',
  'carries holds over the edge',
])('the search finds a protocol that %s', mistake => {
  expect(search({ ...BOUNDS, underWay: 1, lengths: [1, 0] }, mistake).flaw).toBeDefined()
})
