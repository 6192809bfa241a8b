import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { hasUnknownParts, type Place } from '../../src/algorithms/line.ts'
import type { Rule, State } from '../../src/algorithms/index.ts'
import { tokenBucket } from '../../src/algorithms/token-bucket.ts'
import { type Demand, Mode } from '../../src/store/contract.ts'
import { decide } from '../../src/store/decide.ts'
import type { Evaluation } from '../../src/store/evaluation.ts'
import { LineBook } from './line-book.ts'

/** One bucket in the loop of all stores, and the book of the same bucket. */
class Both {
  readonly book: LineBook
  rule: Rule
  state: State = []

  constructor({ unit, rate, capacity }: Numbers) {
    this.book = new LineBook(unit, rate, capacity)
    const rest = { limit: 1, window: 1, slice: 1, precision: 1, cooldown: 0, reduced: undefined }
    this.rule = { code: 't', counter: 'p:t', capacity, unit, rate, ...rest }
  }

  get born(): number {
    return this.state[6] ?? -1
  }

  ask(mode: Mode, cost: number, terms?: Demand['terms'], rule = this.rule): Evaluation {
    const group = { demands: [{ rule, subject: 's', cost, mode, penalized: false, terms }] }
    const load = (): State => [...this.state]
    return decide(group, { load, keep: (_s, _c, state) => void (this.state = [...state]) }, this.book.now)
  }

  pass(micros: number): void {
    for (let i = 0; i < micros; i++) this.book.tick()
  }

  /** The place of a caller by its index in the book. */
  placeOf(index: number): Place {
    return { position: this.state[7]! - this.book.behind(index), born: this.born }
  }
}

/** Does one step in the loop and in the book. */
function play(both: Both, { act, cost, who }: Step): void {
  const { book, rule } = both
  const { unit, room } = book
  if (act === 'come') come(both, Math.min(cost, rule.capacity))
  else if (act === 'leave') {
    const waiting = [...book.callers.keys()].filter(i => book.callers[i]!.state === 'in' && !book.mayStart(i))
    const index = waiting[who % Math.max(1, waiting.length)]
    if (index === undefined) return void both.ask(Mode.LOOK, 0)
    const terms = { place: both.placeOf(index) }
    expect(both.ask(Mode.SETTLE, -book.callers[index]!.cost, terms).passes).toEqual([true])
    book.leave(index)
  } else if (act === 'refund') {
    both.ask(Mode.SETTLE, -cost)
    if (book.hasLine && book.debt > room) book.pool += Math.min(cost * unit, room)
    else book.debt = Math.max(0, book.debt - cost * unit)
  } else if (act === 'overdraw') {
    both.ask(Mode.SETTLE, cost)
    book.debt += cost * unit
  } else if (act === 'block') {
    const cooldown = 7 * cost
    both.ask(Mode.BLOCK, 0, undefined, { ...rule, cooldown })
    book.cooldown = Math.max(book.cooldown, book.now + cooldown)
  } else if (act === 'reset') {
    both.ask(Mode.RESET, 0)
    book.cooldown = 0
    book.debt = book.hasLine ? Math.max(0, book.debt - room) : 0
    book.settle()
  } else if (book.hasLine) {
    both.rule = { ...rule, rate: cost }
    both.ask(Mode.LOOK, 0, undefined, both.rule)
    book.rate = cost
  }
}

/** Lets a caller come, and compares the wait that it is told. */
function come(both: Both, cost: number): void {
  const { book, born } = both
  const later = book.copy()
  const fits = book.debt + cost * book.unit <= book.room && book.now >= book.cooldown
  const { allowed, startsIn } = both.ask(Mode.CHARGE, cost, { maxWait: 1e12 })
  expect(allowed).toBe(true)
  if (fits) {
    expect(startsIn).toBe(undefined)
    book.debt += cost * book.unit
    return
  }
  later.join(cost)
  while (!later.mayStart(later.callers.length - 1) || later.now < later.cooldown) later.tick()
  expect(startsIn).toBe(later.now - book.now)
  if (born !== both.born) book.callers = []
  book.join(cost)
}

function compare(both: Both): void {
  const { book, state } = both
  book.write()
  if (state.length <= 5) {
    const [, at = 0, debt = 0, , rate = 1] = state
    expect(Math.max(0, debt - (book.now - at) * rate)).toBe(book.debt)
    book.hasLine = false
    book.callers = []
    return
  }
  expect([state[2], state[8], state[10]]).toEqual([
    book.debt,
    book.pool,
    book.left.reduce((sum, { cost }) => sum + cost, 0),
  ])
  // Unit by unit, because neighbours among the holes are one.
  const units = (position: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => position - count + 1 + i)
  const holes: number[] = []
  for (let i = 11; i < state.length; i += 2) holes.push(...units(state[i]!, state[i + 1]!))
  const left = book.callers.flatMap((caller, i) =>
    caller.state === 'left' ? units(both.placeOf(i).position, caller.cost) : [],
  )
  expect(holes).toEqual(left)
}

const acts = [
  'come',
  'come',
  'come',
  'come',
  'leave',
  'leave',
  'refund',
  'overdraw',
  'block',
  'reset',
  'rate',
]
const step = fc.record({
  advance: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(40)),
  act: fc.constantFrom(...acts),
  cost: fc.integer({ min: 1, max: 4 }),
  who: fc.nat(20),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
const numbers = fc.record({
  unit: fc.integer({ min: 1, max: 13 }),
  rate: fc.integer({ min: 1, max: 4 }),
  capacity: fc.integer({ min: 1, max: 5 }),
})
type Numbers = typeof numbers extends fc.Arbitrary<infer T> ? T : never

describe('the line of a token bucket', () => {
  it('a line is paid, left and given back as in a book that pays microsecond by microsecond', () => {
    const check = (rule: Numbers, steps: readonly Step[]): void => {
      const both = new Both(rule)
      for (const each of steps) {
        both.pass(each.advance)
        play(both, each)
        compare(both)
      }
    }
    fc.assert(fc.property(numbers, fc.array(step, { maxLength: 60, size: 'max' }), check), { numRuns: 300 })
  })

  it('the line of a bucket applies large refunds within about a second, as the book does', () => {
    const both = new Both({ unit: 200_000, rate: 1, capacity: 4 })
    both.ask(Mode.SETTLE, 24, { place: { position: 0, born: 0 } })
    for (let i = 0; i < 6; i++) both.book.join(4)
    for (const [advance, act] of [
      [1000, 'refund'],
      [0, 'refund'],
      [0, 'refund'],
      [50_000, 'come'],
      [0, 'leave'],
      [300_001, 'come'],
    ] as const) {
      both.pass(advance)
      play(both, { advance, act, cost: 4, who: 2 })
      compare(both)
    }
  })

  it('a caller that comes keeps waiting for the units of one that has left in front of it', () => {
    const both = new Both({ unit: 10, rate: 1, capacity: 2 })
    for (let i = 0; i < 5; i++) come(both, 2)
    play(both, { advance: 0, act: 'leave', cost: 1, who: 1 })
    compare(both)
    both.pass(11)
    come(both, 2)
    compare(both)
  })

  it('a line whose clock steps back stands still until the clock has passed where it was', () => {
    // One unit in 10 µs. The first of six starts, and the last of the five behind it 50 µs later.
    const both = new Both({ unit: 10, rate: 1, capacity: 1 })
    both.pass(1000)
    const wait = (): number => tokenBucket.line!.wait(both.state, both.book.now, 0, both.rule)
    for (let i = 0; i < 6; i++) both.ask(Mode.CHARGE, 1, { maxWait: 1e6 })
    expect(wait()).toBe(50)
    for (const at of [980, 990, 1000]) {
      both.book.now = at
      both.ask(Mode.LOOK, 0)
      expect(wait()).toBe(50)
    }
    both.book.now = 1010
    both.ask(Mode.LOOK, 0)
    expect(wait()).toBe(40)
  })

  it('a reader refuses the state of a line with numbers that this version does not know', () => {
    const line = [0, 5, 38, 10, 1, 1, 5, 3, 0, 99, 1, 2, 1]
    expect(hasUnknownParts(line)).toBe(false)
    expect(hasUnknownParts(line.with(5, 3))).toBe(true)
    expect(hasUnknownParts(line.slice(0, -1))).toBe(true)
    expect(hasUnknownParts(line.slice(0, 9))).toBe(true)
    expect(tokenBucket.reads?.(line.slice(0, 5))).toBe(true)
  })
})
