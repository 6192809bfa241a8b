import { expect, it } from 'vitest'

import type { Rule } from '../../src/algorithms/index.ts'
import { casStore } from '../../src/databases/cas-store.ts'
import { type Demand, Mode } from '../../src/store/contract.ts'
import { decide } from '../../src/store/decide.ts'
import { checkEvaluation } from '../../src/store/evaluation-check.ts'
import { ruleOf } from '../algorithms/table.ts'
import { versioned } from './versioned.ts'

const bucket = ruleOf({ algorithm: 'token-bucket', limit: 5, window: 10 })
const quota: Rule = { ...bucket, code: 'q', counter: 'p:q' }
const NOW = 1.7e15
const { unit, rate } = bucket
const line = [0, NOW, 9 * unit, unit, rate, 1, NOW, 4, 0, NOW + 9e6, 1, 2, 1]
const error = { code: 'HALT_E_STORE_SCRIPT', failure: 'script', fix: expect.stringContaining('Update Halt') }

const modes = [Mode.CHARGE, Mode.PEEK, Mode.SETTLE, Mode.LOOK, Mode.RESET]
const newer: [string, Rule, number[]][] = [
  ['a bucket with another part', bucket, line.with(5, 3)],
  ['a bucket with a part of another length', bucket, [...line, 7]],
  ['a quota with half a hold', quota, [0, NOW + 9e6, 1, 0, NOW + 5e6, 7, NOW + 6e6]],
]

it.each(newer)('%s is refused by every mode, and not written', (_name, rule, state) => {
  for (const mode of modes) {
    const demand: Demand = { rule, subject: 's', cost: 1, mode, penalized: false }
    const counters = { load: () => [...state], keep: () => expect.unreachable() }
    for (const demands of [[demand], [demand, demand]])
      expect(() => decide({ demands }, counters, NOW)).toThrow(expect.objectContaining(error))
  }
})

it.each(newer)('a database of values refuses %s', async (_name, rule, state) => {
  const backend = { ...versioned(), read: (keys: readonly string[]) => Promise.resolve(keys.map(() => row)) }
  const row = { value: state.join(' '), version: 1 }
  const store = casStore(backend, { clock: () => NOW / 1000 })
  const demands = [{ rule, subject: 's', cost: 1, mode: Mode.CHARGE, penalized: false }]
  await expect(store.evaluate({ demands })).rejects.toMatchObject(error)
})

it('an evaluation with a counter of a newer version is refused, and one with a line is not', () => {
  const group = {
    demands: [{ rule: bucket, subject: 's', cost: 1, mode: Mode.CHARGE, penalized: false } as const],
  }
  const plain = { now: NOW, allowed: false, repeated: false, passes: [false], starts: [], penalty: [] }
  const told = (state: number[]): unknown => checkEvaluation({ ...plain, states: [state] }, group)
  expect(told(line)).toMatchObject({ states: [line] })
  expect(told(line.slice(0, 5))).toMatchObject({ allowed: false })
  for (const wrong of [line.with(5, 2), line.slice(0, -1), line.slice(0, 10), line.slice(0, 4)])
    expect(() => told(wrong)).toThrow(expect.objectContaining({ code: 'HALT_E_STORE_SCRIPT' }))
})
