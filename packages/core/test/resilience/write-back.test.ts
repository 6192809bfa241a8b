import { describe, expect, it } from 'vitest'

import type { Edges } from '../../src/algorithms/index.ts'
import { Debts } from '../../src/resilience/write-back.ts'
import { type Demand, Mode } from '../../src/store/index.ts'

const numbers = { limit: 9, capacity: 9, unit: 1, rate: 1, window: 1e9, slice: 1e8, precision: 10, block: 0 }
const rule = { ...numbers, letter: 'q', cell: 'q:q', reduced: undefined } as const
const TODAY: Edges = [0, 100, 200]
const TOMORROW: Edges = [100, 200, 300]

function charge(cost: number, edges: Edges): Demand {
  return { rule, subject: 'user:1', cost, edges, mode: Mode.CHARGE, penalized: false }
}

describe('what the store is owed of a quota', () => {
  it('is added up within a period, and handed out once', () => {
    const debts = new Debts()
    debts.add({ demands: [charge(2, TODAY)] })
    debts.add({ demands: [charge(3, TODAY)] })
    expect(debts.take(99)).toMatchObject([{ demands: [{ cost: 5, mode: Mode.SETTLE }] }])
    expect(debts.take(99)).toEqual([])
  })

  it('ends with its period: the next one owes nothing of it', () => {
    const debts = new Debts()
    debts.add({ demands: [charge(2, TODAY)] })
    expect(debts.take(100)).toEqual([])
    debts.add({ demands: [charge(2, TODAY)] })
    debts.add({ demands: [charge(3, TOMORROW)] })
    expect(debts.take(150)).toMatchObject([{ demands: [{ cost: 3, edges: TOMORROW }] }])
  })

  it('is corrected while it is owed, and gone when all is given back', () => {
    const debts = new Debts()
    debts.add({ demands: [charge(5, TODAY)] })
    expect(debts.correct(charge(-2, TODAY))).toBeUndefined()
    expect(debts.take(50)).toMatchObject([{ demands: [{ cost: 3 }] }])
    debts.add({ demands: [charge(3, TODAY)] })
    // Of an earlier debt, that the store was told of: it has to be told of that, too.
    expect(debts.correct(charge(-50, TODAY))).toMatchObject({ cost: -47 })
    expect(debts.size).toBe(0)
    expect(debts.correct(charge(-2, TODAY))).toMatchObject({ cost: -2 })
    debts.add({ demands: [charge(5, TODAY)] })
    expect([debts.correct(charge(-5, TODAY)), debts.size]).toEqual([undefined, 0])
  })

  it('keeps a call with an idempotency key by itself, once, and corrects it there', () => {
    const debts = new Debts()
    const once = { subject: 'user:1', cell: 'q@k:i', window: 100 }
    debts.add({ demands: [charge(2, TODAY)] })
    debts.add({ demands: [charge(5, TODAY)], once })
    debts.add({ demands: [charge(5, TODAY)], once })
    expect(debts.size).toBe(2)
    expect(debts.correct(charge(-2, TODAY))).toBeUndefined()
    expect(debts.correct(charge(-1, TODAY))).toBeUndefined()
    expect(debts.take(50)).toMatchObject([{ demands: [{ cost: 4, mode: Mode.SETTLE }], once }])
    expect(debts.take(50)).toEqual([])
  })

  it('is owed without its key beyond a thousand keys, not forgotten', () => {
    const debts = new Debts()
    for (let i = 0; i < 1_005; i++)
      debts.add({ demands: [charge(1, TODAY)], once: { subject: 'user:1', cell: `q@${i}:i`, window: 100 } })
    const groups = debts.take(50)
    expect(groups.filter(({ once }) => once !== undefined)).toHaveLength(1_000)
    expect(groups.filter(({ once }) => once === undefined)).toMatchObject([{ demands: [{ cost: 5 }] }])
  })
})
