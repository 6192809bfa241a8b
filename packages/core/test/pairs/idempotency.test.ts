// Idempotency keys, beside what else a limiter does. README.md lists the pairs.
import { expect, it } from 'vitest'

import { type Policy, PolicyRegistry } from '../../src/index.ts'
import { world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600, algorithm: 'fixed-window' }
const ONCE = { idempotencyKey: 'order-1', cost: 4 } as const

it('a repeated call gives back nothing, because it charged nothing, and the first one gives back its charge once', async () => {
  const { limiter } = world()
  const api = limiter(API)
  const first = await api.consume(ANN, ONCE)
  const again = await api.consume(ANN, ONCE)
  await api.settle(again, 0)
  expect((await api.peek(ANN)).remaining).toBe(6)
  await api.settle(first, 1)
  expect((await api.peek(ANN)).remaining).toBe(9)
  expect(await api.consume(ANN, ONCE)).toMatchObject({ allowed: true, cost: 0, remaining: 9 })
})

it('a repeated call passes where a new one would be refused for headroom', async () => {
  const { limiter } = world()
  const batch = limiter({ ...API, headroom: 0.5 } as Policy)
  await batch.consume(ANN, ONCE)
  expect((await batch.consume(ANN, { cost: 4 })).reason).toBe('reserved')
  expect(await batch.consume(ANN, ONCE)).toMatchObject({ allowed: true, cost: 0 })
  expect((await limiter(API).peek(ANN)).remaining).toBe(6)
})

it('a reset frees the units, and a call that was charged before it is not charged again', async () => {
  const { limiter } = world()
  const api = limiter(API)
  await api.consume(ANN, ONCE)
  await api.reset(ANN)
  expect(await api.consume(ANN, ONCE)).toMatchObject({ allowed: true, cost: 0, remaining: 10 })
})

it('a call is charged once though the limit is changed in between', async () => {
  const { limiter } = world()
  const registry = new PolicyRegistry([API])
  const api = limiter(() => registry.get('api'))
  const consume = (): ReturnType<typeof api.consume> =>
    api.consume(ANN, { ...ONCE, policy: registry.get('api') })
  await consume()
  for (const limit of [20, 4, 2]) {
    registry.update('api', { limit })
    expect(await consume()).toMatchObject({ allowed: true, cost: 0, limit })
  }
  registry.update('api', { limit: 10 })
  expect((await api.peek(ANN, { policy: registry.get('api') })).remaining).toBe(6)
})

it('a call is charged once though its limiter is closed and another one follows', async () => {
  const { limiter } = world()
  const before = limiter(API)
  await before.consume(ANN, ONCE)
  await before.close()
  expect(await limiter(API).consume(ANN, ONCE)).toMatchObject({ allowed: true, cost: 0, remaining: 6 })
})
