import { describe, expect, it } from 'vitest'

import { type Decision, type Policy, RateLimiter } from '../src/index.ts'
import type { Store } from '../src/store/index.ts'
import { fields, keyed, rejection, times, view, world } from './world.ts'

const minute: Policy = { name: 'minute', limit: 3, window: 60, algorithm: 'fixed-window' }
const hour: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }
const left = ({ verdicts }: Decision): number[] => verdicts.map(({ remaining }) => remaining)

describe('reset', () => {
  const blocking: Policy = { ...minute, blockDuration: 600 }

  it('forgets an identity’s counters and cool-downs', async () => {
    const { limiter } = world()
    const both = limiter([blocking, hour])
    await times(4, both)
    await both.reset({ ip: '203.0.113.7' })
    expect(left(await both.peek(view()))).toEqual([3, 5])
  })

  it('forgets those that a decision counted on, whoever it was', async () => {
    const both = world().limiter([
      { ...blocking, keyStrategy: 'composite' },
      { ...hour, keyStrategy: 'api-key' },
    ])
    const request = keyed('sk_live', { request: { user: { id: 7 } } })
    const [, , , refused] = await times(4, both, request)
    expect(refused?.allowed).toBe(false)
    await both.reset(refused as Decision)
    expect(left(await both.peek(request))).toEqual([3, 5])
  })

  it('forgets what all unverified keys of its address share, with the decision', async () => {
    const limiter = world().limiter({ ...minute, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    for (const key of ['a', 'b', 'c']) await limiter.check(keyed(key))
    const refused = await limiter.check(keyed('d'))
    expect(refused).toMatchObject({ allowed: false, limit: 3, remaining: 0 })
    await limiter.reset(refused)
    expect((await limiter.check(keyed('d'))).allowed).toBe(true)
  })

  it('does nothing for a decision that no counter made', async () => {
    const limiter = world().limiter(minute)
    await times(3, limiter)
    await limiter.reset(await limiter.check(view({ path: '/health' })))
    expect((await limiter.peek(view())).remaining).toBe(0)
  })

  it('leaves others alone', async () => {
    const limiter = world().limiter(minute)
    await times(3, limiter)
    await times(3, limiter, view({ ip: '198.51.100.1' }))
    await limiter.reset({ ip: '198.51.100.1' })
    expect((await limiter.peek(view())).remaining).toBe(0)
  })

  it('forgets each route’s counter', async () => {
    const limiter = world().limiter({ ...minute, scope: 'route' })
    const routes = ['/a', '/b'].map(route => view({ route }))
    for (const request of routes) await times(3, limiter, request)
    await limiter.reset({ ip: '203.0.113.7' })
    for (const request of routes) expect((await limiter.peek(request)).remaining).toBe(3)
  })

  it('never forgets a quota or a penalty', async () => {
    const quota = { name: 'q', limit: 10, period: 'yearly', keyStrategy: 'ip' } as const
    const limiter = world(Date.now()).limiter([minute, quota], { penalty: { threshold: 1, multiplier: 0.5 } })
    await times(4, limiter)
    await limiter.reset({ ip: '203.0.113.7' })
    const { verdicts } = await limiter.peek(view())
    expect(verdicts.map(({ limit, remaining }) => [limit, remaining])).toEqual([
      [1, 1],
      [10, 7],
    ])
  })

  it('does not pretend to forget a quota that it is given', async () => {
    const limiter = world().limiter(minute)
    const quota = { name: 'q', limit: 5, period: 'daily' } as const
    const error = await rejection(limiter.reset({ user: '42' }, { policy: quota }))
    expect([error.code, error.fix]).toEqual(['HALT_E_POLICY', expect.stringContaining('resetQuota')])
    await limiter.reset({ user: '42' }, { policy: [minute, quota] })
  })

  it('resets what a resolver gave', async () => {
    const limiter = world().limiter(() => minute)
    await times(3, limiter)
    await limiter.reset({ ip: '203.0.113.7' })
    expect((await limiter.peek(view())).remaining).toBe(3)
  })

  it('refuses a copy of a decision: it names nobody', async () => {
    const limiter = world().limiter(minute)
    const copy = fields(await limiter.check(view())) as unknown as Decision
    expect((await rejection(limiter.reset(copy))).code).toBe('HALT_E_IDENTITY')
  })

  it('rejects when the store does not answer', async () => {
    const store: Store = {
      evaluate: () => Promise.reject(new Error('gone')),
      forget: () => Promise.reject(new Error('gone')),
    }
    const limiter = new RateLimiter({ store, policy: minute, warn: () => {} })
    const error = await rejection(limiter.reset('job'))
    expect(error.code).toBe('HALT_E_STORE')
    expect(error.cause).toMatchObject({ message: 'gone' })
  })
})
