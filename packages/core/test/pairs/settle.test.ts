// Settlements and refunds, beside what else a limiter does. README.md lists the pairs.
import { expect, it } from 'vitest'

import { type Policy, PolicyRegistry } from '../../src/index.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'
import { world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const ALGORITHMS = ['token-bucket', 'fixed-window', 'sliding-window'] as const

it('a settlement may take the headroom of others, and a refund gives it back to them first', async () => {
  const { limiter } = world()
  const api: Policy = { name: 'model', limit: 10, window: 3600 }
  const batch = limiter({ ...api, headroom: 0.5 } as Policy)
  const decision = await batch.consume(ANN, { cost: 2 })
  await batch.settle(decision, 8)
  expect((await batch.consume(ANN)).reason).toBe('reserved')
  const other = limiter(api)
  const used = await other.consume(ANN, { cost: 2 })
  await other.settle(used, 0)
  expect((await batch.consume(ANN)).reason).toBe('reserved')
  expect((await other.consume(ANN, { cost: 2 })).allowed).toBe(true)
})

it.each(ALGORITHMS)('a refund after a reset gives no unit more than the limit: %s', async algorithm => {
  const { limiter } = world()
  const api = limiter({ name: 'api', limit: 10, window: 3600, algorithm })
  const before = await api.consume(ANN, { cost: 6 })
  await api.reset(ANN)
  await api.settle(before, 0)
  expect((await api.peek(ANN)).remaining).toBe(10)
  let admitted = 0
  while ((await api.consume(ANN)).allowed) admitted++
  expect(admitted).toBe(10)
})

it.each(ALGORITHMS)(
  'a refund gives back the units that were charged, whatever the limit is now: %s',
  async algorithm => {
    const { limiter } = world()
    const registry = new PolicyRegistry([{ name: 'api', limit: 10, window: 3600, algorithm }])
    const api = limiter(() => registry.get('api'))
    const options = (): { policy: Policy } => ({ policy: registry.get('api') as Policy })
    const left = async (): Promise<number> => (await api.peek(ANN, options())).remaining
    const [first, second] = [
      await api.consume(ANN, { ...options(), cost: 3 }),
      await api.consume(ANN, { ...options(), cost: 4 }),
    ]
    registry.update('api', { limit: 100 })
    await api.settle(first, 0)
    expect(await left()).toBe(96)
    registry.update('api', { limit: 5 })
    expect(await left()).toBe(1)
    await api.settle(second, 5)
    expect(await left()).toBe(0)
    await api.consume(ANN, { ...options(), cost: 0 })
    registry.update('api', { limit: 10 })
    expect(await left()).toBe(5)
  },
)

it('a refund that the application does not await arrives before close() has ended', async () => {
  const own = world()
  let closed = false
  const late: string[] = []
  const store: Store = {
    kind: 'slow',
    async evaluate(group: Group): Promise<Evaluation> {
      await new Promise(resolve => void setTimeout(resolve, 5))
      if (closed) late.push('evaluate')
      return own.store.evaluate(group)
    },
    forget: counters => own.store.forget(counters),
    close: async () => void (closed = true),
  }
  const api: Policy = { name: 'api', limit: 10, window: 3600 }
  const limiter = own.limiter(api, { store })
  const decisions = [await limiter.consume(ANN), await limiter.consume(ANN), await limiter.consume(ANN)]
  for (const decision of decisions) void limiter.settle(decision, 0)
  await limiter.close()
  expect(late).toEqual([])
  expect((await own.limiter(api).peek(ANN)).remaining).toBe(10)
})
