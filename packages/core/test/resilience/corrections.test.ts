import { expect, it } from 'vitest'

import { failableLimiter } from './faulty-store.ts'

const policy = { name: 'api', limit: 100, window: '1m' } as const

it('settlements that fail count as failures of the store, so that no check waits for it after the third', async () => {
  const { store, limiter, fail } = failableLimiter(policy)
  const decisions = await Promise.all(Array.from({ length: 3 }, () => limiter.consume('a')))
  fail()
  for (const decision of decisions) await limiter.settle(decision, 0)
  const before = store.calls
  expect((await limiter.consume('a')).degraded).toBe('local')
  expect(store.calls).toBe(before)
})

it('a settlement that the store answers ends the row of its failures', async () => {
  const { store, limiter, fail } = failableLimiter(policy)
  const charged = await limiter.consume('a')
  fail()
  for (let i = 0; i < 2; i++) await limiter.consume('a')
  store.fault = 'none'
  await limiter.settle(charged, 0)
  fail()
  for (let i = 0; i < 2; i++) await limiter.consume('a')
  const before = store.calls
  await limiter.consume('a')
  expect(store.calls).toBe(before + 1)
})
