import { describe, expect, it } from 'vitest'

import type { Edges } from '../../src/algorithms/index.ts'
import { WriteBackQueue } from '../../src/resilience/write-back.ts'
import { type Demand, Mode } from '../../src/databases/index.ts'

const numbers = {
  limit: 9,
  capacity: 9,
  unit: 1,
  rate: 1,
  window: 1e9,
  slice: 1e8,
  precision: 10,
  cooldown: 0,
}
const rule = { ...numbers, code: 'q', counter: 'q:q', reduced: undefined } as const
const TODAY: Edges = [0, 100, 200]
const TOMORROW: Edges = [100, 200, 300]

function charge(cost: number, edges: Edges): Demand {
  return { rule, subject: 'user:1', cost, edges, chargedTo: edges[1], mode: Mode.CHARGE, penalized: false }
}

describe('a pending charge of a quota', () => {
  it('a pending charge of a quota is summed up within a period, and returned once', () => {
    const writeBack = new WriteBackQueue()
    writeBack.add({ demands: [charge(2, TODAY)] })
    writeBack.add({ demands: [charge(3, TODAY)] })
    expect(writeBack.take(99, 1000)).toMatchObject([{ demands: [{ cost: 5, mode: Mode.SETTLE }] }])
    expect(writeBack.take(99, 1000)).toEqual([])
  })

  it('a pending charge of a quota ends with its period', () => {
    const writeBack = new WriteBackQueue()
    writeBack.add({ demands: [charge(2, TODAY)] })
    expect(writeBack.take(100, 1000)).toEqual([])
    writeBack.add({ demands: [charge(2, TODAY)] })
    writeBack.add({ demands: [charge(3, TOMORROW)] })
    expect(writeBack.take(150, 1000)).toMatchObject([{ demands: [{ cost: 3, edges: TOMORROW }] }])
  })

  it('a pending charge is kept where a clock steps back over the end of a period', () => {
    const writeBack = new WriteBackQueue()
    writeBack.add({ demands: [charge(3, TOMORROW)] })
    writeBack.add({ demands: [charge(2, TODAY)] })
    expect(writeBack.take(100, 1000)).toMatchObject([{ demands: [{ cost: 3, edges: TOMORROW }] }])
  })

  it('a pending charge is corrected while it is pending, and removed by a full refund', () => {
    const writeBack = new WriteBackQueue()
    writeBack.add({ demands: [charge(5, TODAY)] })
    expect(writeBack.correct(charge(-2, TODAY))).toBeUndefined()
    expect(writeBack.take(50, 1000)).toMatchObject([{ demands: [{ cost: 3 }] }])
    writeBack.add({ demands: [charge(3, TODAY)] })
    // This corrects an earlier charge that was already written back, so the store must get the correction.
    expect(writeBack.correct(charge(-50, TODAY))).toMatchObject({ cost: -47 })
    expect(writeBack.size).toBe(0)
    expect(writeBack.correct(charge(-2, TODAY))).toMatchObject({ cost: -2 })
    writeBack.add({ demands: [charge(5, TODAY)] })
    expect([writeBack.correct(charge(-5, TODAY)), writeBack.size]).toEqual([undefined, 0])
  })

  it('a pending charge is not corrected by a correction of another period', () => {
    const writeBack = new WriteBackQueue()
    const idempotency = { subject: 'user:1', counter: 'q@k:i', window: 100 }
    const [refund, more] = [charge(-2, TODAY), charge(2, TODAY)]
    for (const of of [undefined, idempotency]) {
      writeBack.add({ demands: [charge(5, TOMORROW)], idempotency: of })
      expect([writeBack.correct(refund), writeBack.correct(more)]).toEqual([refund, more])
      expect(writeBack.take(150, 1000)).toMatchObject([{ demands: [{ cost: 5 }] }])
    }
  })

  it('a pending charge with an idempotency key stays separate, is added once, and is corrected there', () => {
    const writeBack = new WriteBackQueue()
    const idempotency = { subject: 'user:1', counter: 'q@k:i', window: 100 }
    writeBack.add({ demands: [charge(2, TODAY)] })
    writeBack.add({ demands: [charge(5, TODAY)], idempotency })
    writeBack.add({ demands: [charge(5, TODAY)], idempotency })
    expect(writeBack.size).toBe(2)
    // A correction of a call without a key leaves it alone, and one of the call itself leaves the others alone.
    expect(writeBack.correct(charge(-3, TODAY))).toMatchObject({ cost: -1 })
    writeBack.add({ demands: [charge(3, TODAY)] })
    expect(writeBack.correct(charge(-1, TODAY), idempotency)).toBeUndefined()
    expect(writeBack.take(50, 1000)).toMatchObject([
      { demands: [{ cost: 3 }], idempotency: undefined },
      { demands: [{ cost: 4, mode: Mode.SETTLE }], idempotency },
    ])
    expect(writeBack.take(50, 1000)).toEqual([])
    expect(writeBack.correct(charge(-1, TODAY), idempotency)).toMatchObject({ cost: -1 })
  })

  it('with an idempotency key that is refunded leaves its key, so that a repeat is not charged', () => {
    const writeBack = new WriteBackQueue()
    const idempotency = { subject: 'user:1', counter: 'q@k:i', window: 100 }
    writeBack.add({ demands: [charge(5, TODAY)], idempotency })
    expect(writeBack.correct(charge(-7, TODAY), idempotency)).toMatchObject({ cost: -2 })
    expect(writeBack.take(50, 1000)).toEqual([{ demands: [], idempotency }])
    writeBack.add({ demands: [charge(5, TODAY)], idempotency })
    expect(writeBack.take(150, 1000)).toEqual([])
  })

  it('that the store may not have heard of is not refunded there, because that could be what others have used', () => {
    const writeBack = new WriteBackQueue()
    writeBack.doubt({ demands: [charge(5, TODAY)] })
    writeBack.add({ demands: [charge(2, TODAY)] })
    expect(writeBack.correct(charge(-4, TODAY))).toBeUndefined()
    expect(writeBack.correct(charge(2, TODAY))).toMatchObject({ cost: 2 })
    expect(writeBack.correct(charge(-4, TODAY))).toMatchObject({ cost: -1 })
    writeBack.doubt({ demands: [charge(5, TODAY)] })
    for (const refund of [-4, -1]) expect(writeBack.correct(charge(refund, TODAY))).toBeUndefined()
    writeBack.doubt({ demands: [charge(5, TODAY)] })
    expect(writeBack.correct(charge(-1, TOMORROW))).toMatchObject({ cost: -1 })
    expect([writeBack.size, writeBack.take(150, 1000)]).toEqual([0, []])
    expect(writeBack.correct(charge(-1, TODAY))).toMatchObject({ cost: -1 })
  })

  it('of a period that overlaps another one of its counter is kept beside it', () => {
    const writeBack = new WriteBackQueue()
    const MONTH: Edges = [0, 1000, 2000]
    for (const edges of [MONTH, TOMORROW, MONTH]) writeBack.add({ demands: [charge(2, edges)] })
    expect(writeBack.size).toBe(1)
    expect(writeBack.correct(charge(-1, TOMORROW))).toBeUndefined()
    expect(writeBack.take(150, 1000)).toMatchObject([
      { demands: [{ cost: 4, edges: MONTH }] },
      { demands: [{ cost: 1, edges: TOMORROW }] },
    ])
  })

  it('of a counter beyond fifty thousand is dropped, and those of the others are still summed up', () => {
    const writeBack = new WriteBackQueue()
    const of = (user: number): Demand => ({ ...charge(1, TODAY), subject: `user:${user}` })
    for (let user = 0; user <= 50_000; user++) writeBack.add({ demands: [of(user)] })
    writeBack.add({ demands: [of(7)] })
    expect(writeBack.size).toBe(50_000)
    expect(writeBack.correct({ ...of(7), cost: -2 })).toBeUndefined()
    expect(writeBack.correct({ ...of(50_000), cost: -1 })).toMatchObject({ cost: -1 })
  })

  it('that is refunded leaves the units that are held in the store to be given back there', () => {
    const writeBack = new WriteBackQueue()
    writeBack.add({ demands: [charge(5, TODAY)] })
    const held = { held: { to: 150, units: 3 } }
    expect(writeBack.absorb(charge(-1, TODAY))).toBeUndefined()
    expect(writeBack.absorb({ ...charge(-1, TODAY), terms: held })).toMatchObject({ cost: 0, terms: held })
    expect(writeBack.absorb({ ...charge(-4, TODAY), terms: held })).toMatchObject({ cost: -1, terms: held })
    expect(writeBack.absorb(charge(2, TODAY))).toMatchObject({ cost: 2 })
  })

  it('a pending charge loses its idempotency key beyond a thousand keys, but is not dropped', () => {
    const writeBack = new WriteBackQueue()
    for (let i = 0; i < 1_005; i++)
      writeBack.add({
        demands: [charge(1, TODAY)],
        idempotency: { subject: 'user:1', counter: `q@${i}:i`, window: 100 },
      })
    const groups = writeBack.take(50, 2000)
    expect(groups.filter(({ idempotency }) => idempotency !== undefined)).toHaveLength(1_000)
    expect(groups.filter(({ idempotency }) => idempotency === undefined)).toMatchObject([
      { demands: [{ cost: 5 }] },
    ])
  })
})
