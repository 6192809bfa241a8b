// Clients that a process knows to be blocked, before their store comes back with or without its counters.
import { expect, it } from 'vitest'

import { PenaltyManager, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
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

it('so does one who asks meanwhile for more than can ever pass', async () => {
  const { limiter, loseAll } = losing(login)
  for (let i = 0; i < 3; i++) await limiter.check(view())
  expect((await limiter.check(view(), { cost: 5 })).reason).toBe('cost-exceeds-limit')
  await loseAll()
  expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
})

it('a client that was limited without a blockDuration starts afresh in a store that comes back empty', async () => {
  const { limiter, loseAll } = losing({ ...login, blockDuration: undefined })
  for (let i = 0; i < 3; i++) await limiter.check(view())
  await loseAll()
  expect(await limiter.check(view())).toMatchObject({ allowed: true, degraded: false, remaining: 1 })
})

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

it('a client that another process has reset meanwhile stays free after a reconnection', async () => {
  const { limiter, other, reconnect } = losing(login)
  for (let i = 0; i < 3; i++) await limiter.check(view())
  await other.reset({ ip: '203.0.113.7' })
  await reconnect()
  expect(await limiter.check(view())).toMatchObject({ allowed: true, degraded: false, remaining: 1 })
  expect(await other.check(view())).toMatchObject({ allowed: true, remaining: 0 })
})

it('a client that an operator has paused stays paused in a store that comes back empty', async () => {
  const { limiter, loseAll } = losing({ name: 'api', limit: 100, window: 60 })
  await limiter.pause({ ip: '203.0.113.7' }, { for: '1h' })
  await loseAll()
  const after = await limiter.check(view())
  expect(after).toMatchObject({ allowed: false, degraded: false })
  expect(after.retryAfter).toBeGreaterThan(3500)
})

it('a penalty goes on in a store that comes back empty', async () => {
  const { store, limiter, recover } = failableLimiter(
    { name: 'api', limit: 100, window: 60 },
    { penalty: { threshold: 1, duration: 600, multiplier: 0.1 } },
  )
  const penalties = new PenaltyManager({ store, warn: () => {} })
  await penalties.applyPenalty({ ip: '203.0.113.7' }, { duration: 600 })
  expect((await limiter.check(view())).limit).toBe(10)
  store.fault = 'reject'
  for (let i = 0; i < 4; i++) await limiter.check(view({ ip: `198.51.100.${i}` }))
  store.empty()
  await recover()
  expect(await limiter.check(view())).toMatchObject({ degraded: false, limit: 10 })
})
