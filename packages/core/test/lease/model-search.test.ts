// Every order in which two processes and a store can do the steps of the model of leases, with lost answers, a process that ends, and a
// limit that changes.
import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { visitAll } from '../model-search.ts'
import { begin, flawOf, LeaseModel, type Mistake, type Slot, type State, type Terms } from './model.ts'

/** How far the search goes. */
interface Bounds {
  /** Questions to the store, of both processes together. */
  readonly calls: number
  readonly horizon: number
  readonly slots: number
}

// The short form's windows are shorter, so that fewer steps come to their end. Its search finds each of the mistakes, too.
const TERMS: Terms = isFull ? { window: 3, hold: 2 } : { window: 2, hold: 2 }
const BOUNDS: Bounds = { calls: 2, horizon: isFull ? 4 : 2, slots: 2 }

/** A state, and what is left of the bounds. */
interface Point {
  readonly state: State
  readonly calls: number
  readonly changes: number
}

/** Visits every state. Returns the first flaw, and how many states there are. */
function search(bounds: Bounds, mistake?: Mistake): ReturnType<typeof visitAll> {
  const model = new LeaseModel(TERMS, mistake)
  return visitAll<Point>({
    first: { state: begin([3, 3]), calls: bounds.calls, changes: 1 },
    next: point => steps(model, point, bounds),
    keyOf,
    flawOf: ({ state }) => flawOf(state),
  })
}

/** The points that follow one. */
function steps(model: LeaseModel, point: Point, { horizon, slots }: Bounds): Point[] {
  const { state, calls, changes } = point
  const next: Point[] = []
  const add = (then: State, more: Partial<Point> = {}): void =>
    void next.push({ ...point, ...more, state: then })
  if (state.now < horizon) add(model.pass(state, state.now + 1))
  for (const process of [0, 1]) {
    if (!state.isAlive[process]) continue
    const isAsking = state.slots.some(slot => slot.kind === 'asked' && slot.process === process)
    if (calls > 0 && !isAsking && state.slots.length < slots)
      for (const units of [1, 2]) add(model.ask(state, process, units), { calls: calls - 1 })
    if (calls > 0)
      for (const isHeard of [true, false])
        add(model.check(state, state.limits[process]!, 1, isHeard), { calls: calls - 1 })
    add(model.end(state, process))
  }
  // Both processes are alike, so it is enough that one hears first.
  if (changes > 0) for (const limit of [2, 4]) add(model.change(state, 0, limit), { changes: changes - 1 })
  for (const [at, slot] of state.slots.entries()) {
    if (slot.kind === 'asked') add(model.grant(state, at))
    if (slot.kind === 'granted') for (const then of [model.hear(state, at), model.lose(state, at)]) add(then)
    if (slot.kind === 'held') add(model.giveBack(state, at))
    if (model.mayUse(state, slot, 1)) add(model.use(state, at, 1))
    if (slot.kind === 'returning')
      for (const then of [model.takeBack(state, at), model.lose(state, at)]) add(then)
  }
  return next
}

/** Slots never change, and states that follow each other share them. */
const texts = new WeakMap<Slot, string>()

function textOf(slot: Slot): string {
  let text = texts.get(slot)
  if (text === undefined) texts.set(slot, (text = Object.values(slot).join()))
  return text
}

/** The same text for states that differ only in the order of their slots. */
function keyOf({ state, calls, changes }: Point): string {
  const { now, end, used, spent, lost, most, limits, isAlive } = state
  const numbers = `${now} ${end} ${used} ${spent} ${lost} ${most} ${calls} ${changes}`
  return `${numbers} ${limits.join()} ${isAlive.join()} ${state.slots.map(textOf).sort().join(' ')}`
}

it('no order of steps lets callers have more than the limit, or loses count of a unit', () => {
  const { flaw, states } = search(BOUNDS)
  expect(flaw).toBeUndefined()
  expect(states).toBeGreaterThan(isFull ? 100_000 : 70_000)
})

it.each<Mistake>([
  'holds from the answer',
  'holds past the window',
  'gives back twice',
  'gives back to any window',
  'uses at the end',
])('the search finds a protocol that %s', mistake => {
  expect(search(isFull ? { calls: 3, horizon: 6, slots: 2 } : BOUNDS, mistake).flaw).toBeDefined()
})
