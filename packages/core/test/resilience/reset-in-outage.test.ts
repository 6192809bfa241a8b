// Counters that are reset while refunds of an outage still wait for the store.
import { expect, it } from 'vitest'

import { type Policy, RateLimiter } from '../../src/index.ts'
import { otherProcess } from '../waiting/passing-world.ts'
import { admitted, times, view } from '../world.ts'
import { failableLimiter, pause } from './faulty-store.ts'

const sliding = { name: 'p', limit: 4, window: 36_000, algorithm: 'sliding-window' } as const
const bucket = { name: 'p', limit: 4, window: 36_000, algorithm: 'token-bucket' } as const

it.each<Policy>([sliding, bucket])(
  'refunds of an outage correct nothing that was charged after a reset: $algorithm',
  async policy => {
    const { store, limiter, fail, recover } = failableLimiter(policy)
    const other = new RateLimiter({ store: otherProcess(store), policy, warn: () => {} })
    const decisions = await times(3, limiter)
    fail()
    for (const decision of decisions) await limiter.settle(decision, 0)
    store.fault = 'none'
    await limiter.reset({ ip: '203.0.113.7' })
    expect(await admitted(4, other)).toBe(4)
    await recover()
    await pause(700)
    expect(await admitted(4, other)).toBe(0)
  },
)

it('a reset that fails drops no refund', async () => {
  const { store, limiter, fail, recover } = failableLimiter(sliding)
  const decisions = await times(3, limiter)
  fail()
  for (const decision of decisions) await limiter.settle(decision, 0)
  await expect(limiter.reset({ ip: '203.0.113.7' })).rejects.toMatchObject({ code: 'HALT_E_STORE' })
  await recover()
  await pause(700)
  const other = new RateLimiter({ store: otherProcess(store), policy: sliding, warn: () => {} })
  expect((await other.peek(view())).remaining).toBe(4)
})

it('a reset in an outage frees the client in this process, though the store cannot be told', async () => {
  const { limiter, fail } = failableLimiter({ name: 'p', limit: 2, window: 3600, algorithm: 'fixed-window' })
  fail()
  expect(await admitted(4, limiter)).toBe(2)
  await expect(limiter.reset({ ip: '203.0.113.7' })).rejects.toMatchObject({ code: 'HALT_E_STORE' })
  expect(await admitted(4, limiter)).toBe(2)
})
