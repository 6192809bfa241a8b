// What callers leave of their tenant's share where they stand in line for a bucket and are charged elsewhere too.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type Policy, type RateLimiter, type RatePolicy } from '../../src/index.ts'
import { answering } from '../waiting/answering.ts'
import { passingWorld } from '../waiting/passing-world.ts'

const BACKEND: RatePolicy = {
  name: 'backend',
  limit: 10,
  window: 1,
  burst: 4,
  keyStrategy: 'shared',
  fair: { by: 'user' },
}
const OWN: Policy = { name: 'own', limit: 5, window: 60, algorithm: 'fixed-window', keyStrategy: 'user' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** How many units tenant `a` has had beyond its share. */
async function ahead(limiter: RateLimiter): Promise<number> {
  const { policies } = await limiter.explain({ user: 'a' })
  return policies[0]!.fair!.ahead
}

/** A world in which tenant `z` has taken all of a bucket. */
async function taken(policy: readonly Policy[], more: object = {}) {
  const world = passingWorld()
  const limiter = world.limiter(policy, { exemptPrivateIps: false, ...more })
  for (let i = 0; i < 4; i++) await limiter.consume({ user: 'z' })
  return { ...world, limiter, make: world.limiter }
}

it('a caller that leaves its place gives back its share, where another policy was to be asked at its turn', async () => {
  const { limiter, pass } = await taken([BACKEND, OWN])
  const leaving = new AbortController()
  const turn = limiter
    .acquire({ user: 'a' }, { cost: 3, maxWait: '30s', signal: leaving.signal })
    .catch(() => {})
  await pass(20)
  expect(await ahead(limiter)).toBeGreaterThan(2)
  leaving.abort()
  await turn
  await pass(20)
  expect(await ahead(limiter)).toBeLessThanOrEqual(0)
})

it.each([
  ['at its only bucket', [BACKEND], 5],
  ['where another policy is asked at its turn', [BACKEND, OWN], 15],
])('a caller that leaves while the store gives it a place gives back its share once: %s', async (...row) => {
  const [, policy, asksUntil] = row
  const { limiter, make, store, pass } = await taken(policy)
  const far = make(policy, { exemptPrivateIps: false, store: answering(store, 10) })
  const leaving = new AbortController()
  const turn = far.acquire({ user: 'a' }, { cost: 3, maxWait: '30s', signal: leaving.signal }).catch(() => {})
  await pass(asksUntil)
  leaving.abort()
  await turn
  expect(await ahead(limiter)).toBeGreaterThan(2)
  await pass(10)
  expect(Math.abs(await ahead(limiter))).toBeLessThan(0.5)
  await pass(50)
})

it('a caller that another policy refuses at its turn gives back its share', async () => {
  const { limiter, pass } = await taken([BACKEND, OWN])
  const turn = limiter.acquire({ user: 'a' }, { cost: 3, maxWait: '2s' })
  const next = limiter.acquire({ user: 'y' }, { cost: 4, policy: BACKEND })
  await pass(20)
  await limiter.consume({ user: 'a' }, { policy: OWN, cost: 5 })
  await pass(320)
  expect((await turn).policy).toBe('own')
  expect(await ahead(limiter)).toBeLessThan(0.5)
  await pass(3000)
  await next
})

it('a caller whose patience ends because the line is paused gives back its share', async () => {
  const { limiter, pass } = await taken([BACKEND])
  const turn = limiter.acquire({ user: 'a' }, { cost: 3, maxWait: '500ms' })
  const next = limiter.acquire({ user: 'y' }, { cost: 4 })
  await pass(20)
  await limiter.pause({ user: 'a' }, { for: '2s' })
  await pass(520)
  expect((await turn).allowed).toBe(false)
  expect(await ahead(limiter)).toBeLessThan(0.5)
  await pass(4000)
  await next
})

it('a caller that stood in line for its own counter waits for its share of one that leaves headroom', async () => {
  const bucket: RatePolicy = { name: 'bucket', limit: 20, window: 1, burst: 100, keyStrategy: 'user' }
  const { limiter, starts, acquire, pass } = await taken([{ ...BACKEND, burst: 40, headroom: 0.01 }, bucket])
  let reason = ''
  while (reason !== 'fair-share') {
    await pass(150)
    reason = (await limiter.consume({ user: 'a' })).reason
    while (reason === 'ok') ({ reason } = await limiter.consume({ user: 'a' }))
  }
  const own = (await limiter.inspect({ user: 'a' })).find(({ policy }) => policy === 'bucket')!
  await limiter.consume({ user: 'a' }, { policy: bucket, cost: own.remaining })
  const turn = acquire(limiter, { user: 'a' }, 'a', { maxWait: '30s' })
  await pass(60)
  const { allowed } = await limiter.peek({ user: 'a' })
  expect([starts.length, allowed]).toEqual([0, false])
  await pass(2000)
  await turn
  expect(starts).toHaveLength(1)
})

it('a caller that leaves as its turn to ask comes holds nobody up', async () => {
  const { limiter, starts, acquire, pass } = await taken([BACKEND])
  const leaving = new AbortController()
  for (let i = 0; i < 3; i++)
    void limiter.acquire({ user: 'z' }, { signal: leaving.signal, maxWait: '1h' }).catch(() => {})
  await pass(20)
  leaving.abort()
  await pass(1)
  const turn = acquire(limiter, { user: 'z' }, 'z', { maxWait: '10s' })
  await pass(700)
  expect(starts.map(({ name }) => name)).toEqual(['z'])
  await turn
})

it('a caller whose tenant is reset while it waits has its turn, and asks no more often than it must', async () => {
  const { limiter, store, starts, acquire, pass } = await taken([BACKEND])
  const turn = acquire(limiter, { user: 'z' }, 'z', { cost: 4, maxWait: '30s' })
  await pass(20)
  await limiter.reset({ user: 'z' })
  // Another tenant takes its turn first, so that the clock is slower than it was when the caller was told its wait.
  const other = acquire(limiter, { user: 'y' }, 'y', { cost: 4, maxWait: '30s' })
  const asked = vi.spyOn(store, 'evaluate')
  await pass(1000)
  expect(starts.map(({ name }) => name)).toEqual(['y', 'z'])
  expect(asked.mock.calls.length).toBeLessThan(10)
  await Promise.all([turn, other])
})
