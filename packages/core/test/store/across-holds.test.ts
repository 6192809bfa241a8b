import { expect, it } from 'vitest'

import { algorithms, type HeldUnits } from '../../src/algorithms/index.ts'
import { evaluateAcross } from '../../src/databases/across/index.ts'
import { type Demand, type Group, Mode } from '../../src/store/contract.ts'
import type { Evaluation } from '../../src/store/evaluation.ts'
import { ReferenceStore } from '../../src/testing/reference-store.ts'
import { ruleOf } from '../algorithms/table.ts'

const NOW = 1.7e15
const TTL = 8e6

/** Budgets of two subjects on two nodes. */
function nodes() {
  const stores = new Map(['a', 'b'].map(name => [name, new ReferenceStore(() => NOW / 1000)]))
  const send = async (node: string, group: Group): Promise<Evaluation> => stores.get(node)!.evaluate(group)
  const rule = ruleOf({ algorithm: 'quota', limit: 10, window: 1000 })
  const demand = (subject: string, cost: number, terms?: Demand['terms']): Demand => ({
    rule,
    subject,
    cost,
    mode: Mode.CHARGE,
    penalized: false,
    terms,
  })
  const ask = (...demands: Demand[]): Promise<Evaluation> =>
    evaluateAcross(
      { demands },
      subject => subject,
      send,
      error => error,
    )
  const read = async (subject: string): Promise<number[]> => {
    const { states } = await send(subject, { demands: [{ ...demand(subject, 0), mode: Mode.PEEK }] })
    const state = states[0] ?? []
    return [algorithms.q.used(state, NOW, rule), algorithms.q.holds?.held(state, NOW) ?? 0]
  }
  const held = (units: number): HeldUnits => ({
    to: algorithms.q.holds?.end([0, Number.POSITIVE_INFINITY], NOW, TTL) ?? 0,
    units,
  })
  return { demand, ask, read, held }
}

it('units are held on all nodes of a call or on none', async () => {
  const { demand, ask, read } = nodes()
  expect((await ask(demand('a', 6, { keptFor: TTL }), demand('b', 6, { keptFor: TTL }))).allowed).toBe(true)
  expect((await ask(demand('a', 4, { keptFor: TTL }), demand('b', 5, { keptFor: TTL }))).allowed).toBe(false)
  expect([await read('a'), await read('b')]).toEqual([
    [0, 6],
    [0, 6],
  ])
})

it('nodes that hold different parts keep the fewest', async () => {
  const { demand, ask, read } = nodes()
  await ask(demand('b', 7))
  const { allowed, grants } = await ask(
    demand('a', 8, { keptFor: TTL, least: 1 }),
    demand('b', 8, { keptFor: TTL, least: 1 }),
  )
  expect([allowed, grants]).toEqual([true, [3, 3]])
  expect([await read('a'), await read('b')]).toEqual([
    [0, 3],
    [7, 3],
  ])
})

it('a payment that one node refuses is charged nowhere, and frees what it took from the units held', async () => {
  const { demand, ask, read, held } = nodes()
  await ask(demand('a', 6, { keptFor: TTL }), demand('b', 2, { keptFor: TTL }))
  await ask(demand('b', 8))
  const paid = await ask(demand('a', 4, { held: held(4) }), demand('b', 4, { held: held(2) }))
  expect(paid.allowed).toBe(false)
  expect([await read('a'), await read('b')]).toEqual([
    [0, 2],
    [8, 2],
  ])
})
