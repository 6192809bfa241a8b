// Limits that change and counters that are reset, beside outages and close(). README.md lists the pairs.
import { expect, it } from 'vitest'

import { type Policy, PolicyRegistry } from '../../src/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'
import { world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600, algorithm: 'fixed-window' }

it('a limit that changes while the store is away holds at once in this process’s share, and in the store afterwards', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const registry = new PolicyRegistry([API])
  const api = own.limiter(() => registry.get('api'), { store, instances: 2 })
  const consume = (): ReturnType<typeof api.consume> => api.consume(ANN, { policy: registry.get('api') })
  expect((await consume()).remaining).toBe(9)
  store.begin('refused')
  registry.update('api', { limit: 6 })
  let admitted = 0
  while ((await consume()).allowed) admitted++
  // The process has half of the limit, and knows of one unit that was used before.
  expect(admitted).toBeLessThanOrEqual(3)
  expect((await consume()).degraded).toBe('local')
  registry.update('api', { limit: 20 })
  let more = 0
  while ((await consume()).allowed) more++
  expect(admitted + more).toBeLessThanOrEqual(10)
  expect(more).toBeGreaterThan(0)
  store.end()
  const fresh = own.limiter(() => registry.get('api'))
  expect(await fresh.peek(ANN, { policy: registry.get('api') })).toMatchObject({ limit: 20, remaining: 19 })
})

it('a reset that is under way when its limiter closes reaches the store, or tells that it did not', async () => {
  const own = world()
  let closed = false
  const store: Store = {
    kind: 'slow',
    evaluate: async (group: Group): Promise<Evaluation> => own.store.evaluate(group),
    forget: async counters => {
      await new Promise(resolve => void setTimeout(resolve, 5))
      if (closed) throw new Error('The store was closed.')
      return own.store.forget(counters)
    },
    close: async () => void (closed = true),
  }
  const limiter = own.limiter(API, { store })
  await limiter.consume(ANN)
  const reset = limiter.reset(ANN).then(
    count => count === 1,
    (error: { code?: string }) => error.code,
  )
  await limiter.close()
  const outcome = await reset
  const { remaining } = await own.limiter(API).peek(ANN)
  expect([
    [true, 10],
    ['HALT_E_STORE', 9],
  ]).toContainEqual([outcome, remaining])
})
