import { Mode, type Demand, type Rule } from '@halt/core/store'
import { ManualClock } from '@halt/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { Holds } from '../../src/holds.ts'
import { InMemoryStore } from '../../src/index.ts'

const KEYS = isFull ? 60_000 : 30_000
/** The most keys of a segment, far fewer than all. */
const SEGMENT = 4_096
const FEW = 512

/** 2 units in 60 seconds, with a cool-down of ten minutes. */
const rule: Rule = {
  code: 't',
  counter: 'b:t',
  limit: 2,
  capacity: 2,
  unit: 30e6,
  rate: 1,
  window: 60e6,
  slice: 6e6,
  precision: 10,
  cooldown: 600e6,
  reduced: undefined,
}
const roomy: Rule = { ...rule, counter: 'r:t', limit: 1000, capacity: 1000, unit: 60e3, cooldown: 0 }

function take(store: InMemoryStore, subject: string, of: Rule = rule): boolean {
  const demand: Demand = { rule: of, subject, cost: 1, mode: Mode.CHARGE, penalized: false }
  return store.evaluate({ demands: [demand] }).allowed
}

function exhaust(store: InMemoryStore, subject: string): void {
  while (take(store, subject));
}

// Counts the entries that a call visits by iterators of maps, and the size of maps, because growth copies a map.
const iterator = Object.getPrototypeOf(new Map().entries()) as { next: () => unknown }
const { next } = iterator
const { set } = Map.prototype
let looked = 0
let largest = 0

beforeEach(() => {
  looked = 0
  largest = 0
  iterator.next = function (this: unknown) {
    looked++
    return next.call(this)
  }
  Map.prototype.set = function (this: Map<unknown, unknown>, key, value) {
    const map = set.call(this, key, value)
    if (map.size > largest) largest = map.size
    return map
  }
})
afterEach(() => {
  iterator.next = next
  Map.prototype.set = set
})

/** The number of entries that calls visited: the most per call, and the mean. */
function work(calls: number, call: (i: number) => void): { most: number; mean: number } {
  const start = looked
  let most = 0
  for (let i = 0; i < calls; i++) {
    const before = looked
    call(i)
    most = Math.max(most, looked - before)
  }
  return { most, mean: (looked - start) / calls }
}

function expectLittle({ most, mean }: { most: number; mean: number }): void {
  // One call may split a full segment, look for a key to evict, and make the segment of that key smaller, of which more than half
  // is free by then. Both are rare.
  expect(most).toBeLessThanOrEqual(SEGMENT + SEGMENT / 2 + FEW)
  expect(mean).toBeLessThanOrEqual(16)
}

describe('one call of InMemoryStore', () => {
  it('a call visits no more than a segment of keys while they become many', () => {
    const store = new InMemoryStore({ maxKeys: KEYS })
    expectLittle(work(KEYS, i => take(store, `ip:${i}`)))
    expect(store.size).toBe(KEYS)
    expect(largest).toBeLessThanOrEqual(SEGMENT)
  })

  it('a call visits few keys when all are blocked and others come', () => {
    const clock = new ManualClock()
    const store = new InMemoryStore({ maxKeys: KEYS, clock: clock.now })
    for (let i = 0; i < KEYS; i++) exhaust(store, `ip:${i}`)
    expectLittle(work(5_000, i => take(store, `free:${i}`)))
    expectLittle(work(5_000, i => exhaust(store, `blocked:${i}`)))
    expectLittle(work(5_000, i => take(store, `of another policy:${i}`, roomy)))
    clock.advance('601s')
    expectLittle(work(2 * KEYS, i => take(store, `later:${i}`)))
    expect([store.size <= KEYS, largest <= SEGMENT]).toEqual([true, true])
  })

  it('a call visits few keys, and frees no blocked one, when all but six are blocked', () => {
    const store = new InMemoryStore({ maxKeys: KEYS, clock: new ManualClock().now })
    for (let i = 0; i < KEYS; i++) {
      if (i % (KEYS / 6) === 0) take(store, `ip:${i}`)
      else exhaust(store, `ip:${i}`)
    }
    expectLittle(work(5_000, i => take(store, `free:${i}`)))
    for (let i = 1; i < KEYS / 6; i++) expect(take(store, `ip:${i}`)).toBe(false)
  })

  it('a call visits no more than a segment when amounts outgrow 32 bits', () => {
    const store = new InMemoryStore({ maxKeys: KEYS })
    for (let i = 0; i < KEYS; i++) take(store, `ip:${i}`)
    const wide = { ...rule, unit: 2 ** 40 }
    expectLittle(work(KEYS, i => take(store, `ip:${i}`, wide)))
  })

  it('a call visits no more than a segment when all keys are deleted', () => {
    const store = new InMemoryStore({ maxKeys: KEYS })
    for (let i = 0; i < KEYS; i++) take(store, `ip:${i}`)
    expectLittle(work(KEYS, i => store.forget([{ subject: `ip:${i}`, counter: 'b:t' }])))
    expect([store.size, store.bytes]).toEqual([0, 0])
  })
})

describe('Holds', () => {
  it('Holds gives the keys in the order in which their refusals end, whatever changed in between', () => {
    const holds = new Holds()
    const ends = new Map<number, number>()
    let random = 7
    const draw = (below: number): number => (random = (random * 48_271) % 2_147_483_647) % below
    for (let i = 0; i < 20_000; i++) {
      const slot = draw(300)
      if (draw(3) === 0 && ends.delete(slot)) holds.delete(`key ${slot}`)
      else {
        ends.set(slot, 1 + draw(1000))
        holds.set(`key ${slot}`, slot, ends.get(slot)!)
      }
      if (i % 100 === 0) expect(holds.soonest).toBe(Math.min(...ends.values()))
    }
    const order: number[] = []
    while (holds.first !== undefined) {
      order.push(holds.soonest)
      const slot = Number(holds.first.slice(4))
      expect(holds.end(slot)).toBe(ends.get(slot))
      holds.delete(holds.first)
      expect([holds.end(slot), holds.find(`key ${slot}`)]).toEqual([0, undefined])
    }
    expect(order).toEqual([...ends.values()].sort((a, b) => a - b))
    expect([order.length > 50, holds.soonest]).toEqual([true, Number.POSITIVE_INFINITY])
  })
})
