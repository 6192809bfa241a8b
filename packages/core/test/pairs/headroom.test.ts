// Headroom, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type Policy, PolicyRegistry } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { view, world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const MODEL: Policy = { name: 'model', limit: 4, window: 3600 }
const BATCH = { ...MODEL, headroom: 0.5 } as Policy

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('a request that a guard holds for headroom takes no place, so that a more important one passes at once', async () => {
  const { limiter, pass } = passingWorld()
  const fast: Policy = { name: 'fast', limit: 10, window: 1, burst: 4, keyStrategy: 'shared' }
  const batch = guard(limiter({ ...fast, headroom: 0.5 } as Policy), { delay: { maxWait: '5s' } })
  const urgent = guard(limiter(fast), {})
  const passed: number[] = []
  const held = [0, 1, 2, 3].map(async i => {
    if ((await batch.enter(view(), {})).pass) passed.push(i)
  })
  await pass(0)
  expect(passed).toEqual([0, 1])
  expect((await urgent.enter(view(), {})).pass).toBe(true)
  expect((await urgent.enter(view(), {})).pass).toBe(true)
  await pass(1_000)
  await Promise.all(held)
  expect(passed).toEqual([0, 1, 2, 3])
})

it('a reset gives a request that leaves headroom its own share again, and no more', async () => {
  const { limiter } = world()
  const batch = limiter(BATCH)
  const reasons = async (): Promise<string[]> => {
    const found: string[] = []
    for (let i = 0; i < 3; i++) found.push((await batch.consume(ANN)).reason)
    return found
  }
  expect(await reasons()).toEqual(['ok', 'ok', 'reserved'])
  await batch.reset(ANN)
  expect(await reasons()).toEqual(['ok', 'ok', 'reserved'])
})

it('headroom is a share of the limit in force', async () => {
  const { limiter } = world()
  const registry = new PolicyRegistry([BATCH])
  const batch = limiter(() => registry.get('model'))
  const reason = async (): Promise<string> =>
    (await batch.consume(ANN, { policy: registry.get('model') })).reason
  expect([await reason(), await reason(), await reason()]).toEqual(['ok', 'ok', 'reserved'])
  registry.update('model', { limit: 8 })
  expect([await reason(), await reason(), await reason()]).toEqual(['ok', 'ok', 'reserved'])
  // Four are used. Of six, two are left, which belong to others. Of four, none is left.
  registry.update('model', { limit: 6 })
  expect(await reason()).toBe('reserved')
  registry.update('model', { limit: 4 })
  expect(await reason()).toBe('limited')
})

it('a request leaves headroom of this process’s share while the store is away', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const batch = own.limiter({ ...BATCH, limit: 8 } as Policy, { store, instances: 2 })
  const urgent = own.limiter({ ...MODEL, limit: 8 } as Policy, { store, instances: 2 })
  store.begin('refused')
  const count = async (limiter: typeof batch): Promise<number> => {
    let admitted = 0
    while ((await limiter.consume(ANN)).allowed) admitted++
    return admitted
  }
  expect(await count(batch)).toBe(2)
  expect((await batch.consume(ANN)).degraded).toBe('local')
  expect(await count(urgent)).toBeLessThanOrEqual(4)
})
