import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Decision, type Policy, RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { by, CLIENT, fields, keyed, rejection, times, view, world } from '../world.ts'

const minute: Policy = { name: 'minute', limit: 3, window: 60, algorithm: 'fixed-window' }
const hour: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }
const left = ({ verdicts }: Decision): number[] => verdicts.map(({ remaining }) => remaining)

describe('reset', () => {
  const blocking: Policy = { ...minute, blockDuration: 600 }

  it('reset forgets the counters and cool-downs of an identity', async () => {
    const { limiter } = world()
    const both = limiter([blocking, hour])
    await times(4, both)
    await both.reset({ ip: '203.0.113.7' })
    expect(left(await both.peek(view()))).toEqual([3, 5])
  })

  it('reset forgets the counters of a decision', async () => {
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

  it('reset forgets the address ceiling of a decision as well', async () => {
    const limiter = world().limiter({ ...minute, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    for (const key of ['a', 'b', 'c']) await limiter.check(keyed(key))
    const refused = await limiter.check(keyed('d'))
    expect(refused).toMatchObject({ allowed: false, limit: 3, remaining: 0 })
    await limiter.reset(refused)
    expect((await limiter.check(keyed('d'))).allowed).toBe(true)
  })

  it('reset does nothing for a decision that no counter made', async () => {
    const limiter = world().limiter(minute)
    await times(3, limiter)
    await limiter.reset(await limiter.check(view({ path: '/health' })))
    expect((await limiter.peek(view())).remaining).toBe(0)
  })

  it('reset does not touch other identities', async () => {
    const limiter = world().limiter(minute)
    await times(3, limiter)
    await times(3, limiter, view({ ip: '198.51.100.1' }))
    await limiter.reset({ ip: '198.51.100.1' })
    expect((await limiter.peek(view())).remaining).toBe(0)
  })

  it('reset forgets the counter of each route', async () => {
    const limiter = world().limiter({ ...minute, scope: 'route' })
    const routes = ['/a', '/b'].map(route => view({ route }))
    for (const request of routes) await times(3, limiter, request)
    await limiter.reset({ ip: '203.0.113.7' })
    for (const request of routes) expect((await limiter.peek(request)).remaining).toBe(3)
  })

  it('reset never forgets a quota or a penalty', async () => {
    const quota = { name: 'q', limit: 10, period: 'yearly', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
    const limiter = world(Date.now()).limiter([minute, quota], { penalty: { threshold: 1, multiplier: 0.5 } })
    await times(4, limiter)
    await limiter.reset({ ip: '203.0.113.7' })
    const { verdicts } = await limiter.peek(view())
    expect(verdicts.map(({ limit, remaining }) => [limit, remaining])).toEqual([
      [1, 1],
      [10, 7],
    ])
  })

  it('reset rejects a given quota', async () => {
    const limiter = world().limiter(minute)
    const quota = { name: 'q', limit: 5, period: 'daily' } as const
    const error = await rejection(limiter.reset({ user: '42' }, { policy: quota }))
    expect([error.code, error.fix]).toEqual(['HALT_E_POLICY', expect.stringContaining('resetQuota')])
    await limiter.reset({ ip: CLIENT }, { policy: [minute, quota] })
  })

  it('reset forgets policies that a resolver returned', async () => {
    const limiter = world().limiter(() => minute)
    await times(3, limiter)
    await limiter.reset({ ip: '203.0.113.7' })
    expect((await limiter.peek(view())).remaining).toBe(3)
  })

  it('reset refuses a copy of a decision', async () => {
    const limiter = world().limiter(minute)
    const copy = fields(await limiter.check(view())) as unknown as Decision
    expect((await rejection(limiter.reset(copy))).code).toBe('HALT_E_IDENTITY')
  })

  it('reset returns how many counters the store forgot', async () => {
    const limiter = world().limiter([blocking, hour, { ...hour, name: 'user', keyStrategy: 'user' }])
    const refused = (await times(4, limiter, by('42')))[3] as Decision
    expect(await limiter.reset({ ip: '198.51.100.1' })).toBe(0)
    expect(await limiter.reset({ user: '42' })).toBe(1)
    expect(await limiter.reset({ ip: CLIENT })).toBe(2)
    await times(4, limiter, by('42'))
    expect(await limiter.reset(refused)).toBe(3)
    expect(await limiter.reset(refused)).toBe(0)
  })

  it('reset forgets all counters of a request, and its route, in a process that has seen no request', async () => {
    const { limiter } = world()
    const policies: Policy[] = [
      { ...minute, name: 'pair', keyStrategy: 'composite' },
      { ...minute, name: 'route', scope: 'route' },
      { ...minute, name: 'all', keyStrategy: 'shared' },
    ]
    const request = by('42', { route: '/a' })
    await times(4, limiter(policies), request)
    const elsewhere = limiter(policies)
    expect((await elsewhere.peek(request)).allowed).toBe(false)
    expect(await elsewhere.reset(request)).toBe(3)
    expect(left(await elsewhere.peek(request))).toEqual([3, 3, 3])
    expect(await elsewhere.reset(view({ path: '/health' }))).toBe(0)
  })

  it('reset forgets a composite counter by user and address', async () => {
    const pair: Policy = { ...minute, keyStrategy: 'composite' }
    const { limiter } = world()
    const one = limiter(pair)
    await times(4, one, by('42'))
    await times(4, one, keyed('sk_live'))
    expect(await one.reset({ user: '42', ip: CLIENT })).toBe(1)
    expect(await one.reset({ ip: CLIENT, apiKey: 'sk_live' })).toBe(1)
    expect((await one.peek(by('42'))).remaining).toBe(3)
    expect((await one.peek(keyed('sk_live'))).remaining).toBe(3)
  })

  it('reset rejects when no policy counts by the identity, and names what would reach the counters', async () => {
    const { limiter } = world()
    const one = limiter([hour, { ...minute, keyStrategy: 'composite' }])
    await times(4, one, by('42'))
    const error = await rejection(one.reset({ user: '42' }))
    expect(error.code).toBe('HALT_E_IDENTITY_KIND')
    expect(error.message).toContain('"hour" is reached by { ip }')
    expect(error.message).toContain('"minute" is reached by { user, ip } or { apiKey, ip }')
  })

  it('reset warns of the counters that remain', async () => {
    const { limiter, warnings } = world()
    await limiter([minute, { ...hour, keyStrategy: 'user' }]).reset({ user: '42' })
    expect(warnings).toMatchObject([{ code: 'HALT_W_RESET_PARTIAL' }])
    expect(warnings[0]?.message).toContain('"minute" (reached by { ip })')
  })

  it('reset warns of the counters of users behind an address', async () => {
    const { limiter, warnings } = world()
    await limiter({ ...minute, keyStrategy: 'composite' }).reset({ ip: CLIENT })
    expect(warnings[0]?.message).toContain(
      '"minute" (reached by { user, ip } or { apiKey, ip } for requests with a user or an API key)',
    )
  })

  it('reset forgets the address ceiling in a process that has seen no key', async () => {
    const { limiter } = world()
    const one = limiter({ ...minute, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    for (const key of ['a', 'b', 'c', 'd']) await one.check(keyed(key))
    const elsewhere = limiter({ ...minute, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    expect(await elsewhere.reset({ ip: CLIENT })).toBe(1)
    expect((await one.check(keyed('e'))).allowed).toBe(true)
  })

  it('reset forgets the shared counter for any identity', async () => {
    const limiter = world().limiter({ ...minute, keyStrategy: 'shared' })
    await times(3, limiter)
    expect(await limiter.reset({ custom: 'stripe' })).toBe(1)
    expect((await limiter.peek(view())).remaining).toBe(3)
  })

  it('reset forgets the charges of consume, whatever identities the requests are counted by', async () => {
    const limiter = world().limiter(minute)
    await limiter.consume({ user: '42' })
    expect(await limiter.reset({ user: '42' })).toBe(1)
  })

  it('reset rejects when routes may be unknown: none was seen, or the store is shared', async () => {
    const routed: Policy = { ...minute, scope: 'route' }
    const { limiter, store } = world()
    const request = view({ route: '/a' })
    const one = limiter(routed)
    await times(3, one, request)
    expect((await rejection(limiter(routed).reset({ ip: CLIENT }))).code).toBe('HALT_E_ROUTES_UNKNOWN')
    expect((await one.peek(request)).remaining).toBe(0)
    expect(await one.reset({ ip: CLIENT })).toBe(1)
    await times(3, one, request)
    const shared: Store = {
      evaluate: group => store.evaluate(group),
      forget: counters => store.forget(counters),
    }
    const other = limiter(routed, { store: shared })
    await other.check(request)
    const error = await rejection(other.reset({ ip: CLIENT }))
    expect([error.code, error.fix]).toEqual([
      'HALT_E_ROUTES_UNKNOWN',
      expect.stringContaining('reset(request)'),
    ])
    expect(error.message).toContain('forgot 1 counters')
    expect((await one.peek(request)).remaining).toBe(3)
  })

  it('reset forgets the counter of requests without a route, in a process that has seen none', async () => {
    const routed: Policy = { ...minute, scope: 'route' }
    const { limiter } = world()
    const one = limiter(routed)
    await times(3, one)
    const error = await rejection(limiter(routed).reset({ ip: CLIENT }))
    expect(error.message).toContain('forgot 1 counters')
    expect((await one.peek(view())).remaining).toBe(3)
  })

  it('reset rejects when the store does not answer', async () => {
    const store: Store = {
      evaluate: () => Promise.reject(new Error('gone')),
      forget: () => Promise.reject(new Error('gone')),
    }
    const limiter = new RateLimiter({ store, policy: minute, warn: () => {} })
    const error = await rejection(limiter.reset('job'))
    expect(error.code).toBe('HALT_E_STORE')
    expect(error.cause).toMatchObject({ message: 'gone' })
    for (const onStoreError of ['local', 'open', 'closed'] as const) {
      const away = new RateLimiter({ store, policy: minute, onStoreError, warn: () => {} })
      expect((await rejection(away.reset(view()))).code).toBe('HALT_E_STORE')
      expect((await rejection(away.inspect(view()))).code).toBe('HALT_E_STORE')
    }
  })

  it('reset rejects when no policy is found for a request', async () => {
    const limiter = world().limiter(() => undefined as unknown as Policy)
    expect((await rejection(limiter.reset(view()))).code).toBe('HALT_E_POLICY_REQUIRED')
  })
})
