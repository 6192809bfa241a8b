// Keys that a process knows to be refused, before their store comes back without its counters.
import { expect, it } from 'vitest'

import { RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { otherProcess } from '../waiting/passing-world.ts'
import { view } from '../world.ts'
import { failableLimiter, pause } from './faulty-store.ts'

const login = { name: 'login', limit: 2, window: 60, algorithm: 'fixed-window', blockDuration: 300 } as const

/** Limiters whose store can go away, and lose everything meanwhile. */
function losing(policy: RateLimiterOptions['policy']) {
  const { store, limiter } = failableLimiter(policy)
  const outage = async (meanwhile: () => void): Promise<void> => {
    store.fault = 'reject'
    for (let i = 0; i < 4; i++) await limiter.check(view({ ip: `198.51.100.${i}` }))
    meanwhile()
    store.fault = 'none'
    while ((await limiter.check(view({ ip: '198.51.100.99' }), { cost: 0 })).degraded !== false)
      await pause(20)
  }
  return {
    limiter,
    /** Another limiter of this process, and one of another process. */
    second: new RateLimiter({ store, policy, warn: () => {} }),
    other: new RateLimiter({ store: otherProcess(store), policy, warn: () => {} }),
    loseAll: () => outage(() => store.empty()),
    reconnect: () => outage(() => {}),
  }
}

it('a client that is blocked for failed logins stays blocked in a store that comes back empty', async () => {
  const { limiter, loseAll } = losing({ ...login, inFlight: 2 })
  for (let i = 0; i < 2; i++) await limiter.release(await limiter.check(view()))
  expect(await limiter.check(view())).toMatchObject({ allowed: false, reason: 'limited' })
  await loseAll()
  const after = await limiter.check(view())
  expect(after).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
  expect(after.retryAfter).toBeGreaterThan(290)
})

it.each([undefined, '2s', 300])(
  'so does one who asks meanwhile for more than can ever pass (%s)',
  async block => {
    const { limiter, loseAll } = losing({ ...login, blockDuration: block })
    for (let i = 0; i < 3; i++) await limiter.check(view())
    expect((await limiter.check(view(), { cost: 5 })).reason).toBe('cost-exceeds-limit')
    await loseAll()
    const after = await limiter.check(view())
    expect(after).toMatchObject({ allowed: false, degraded: false })
    expect(after.retryAfter).toBeGreaterThan(50)
  },
)

it('so does one whose block this process knows only by a request for more than can ever pass', async () => {
  const { limiter, other, loseAll } = losing(login)
  for (let i = 0; i < 3; i++) await other.check(view())
  await limiter.check(view(), { cost: 5 })
  await loseAll()
  expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
})

it('one who asks for more than can ever pass, and is not refused otherwise, stays free', async () => {
  const { limiter, loseAll } = losing(login)
  await limiter.check(view(), { cost: 5 })
  await loseAll()
  expect((await limiter.check(view())).allowed).toBe(true)
})

it('a client that one limiter has refused stays refused by all of the process, in a store that comes back empty', async () => {
  const { limiter, second, loseAll } = losing(login)
  for (let i = 0; i < 3; i++) await second.check(view())
  await loseAll()
  for (const each of [limiter, second])
    expect(await each.check(view())).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
})

it('a client that another limiter of the process has reset stays free after a reconnection', async () => {
  const { limiter, second, reconnect } = losing(login)
  for (let i = 0; i < 3; i++) await limiter.check(view())
  await second.reset({ ip: '203.0.113.7' })
  await reconnect()
  expect(await limiter.check(view())).toMatchObject({ allowed: true, degraded: false })
})
