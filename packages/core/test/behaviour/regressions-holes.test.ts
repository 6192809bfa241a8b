// The defects found in the original, one test for each that no other test covers more directly. Numbers as in
// its analysis: 1.x wrong decisions, 2.x identity, 3.x stores, 5.x memory.
import { describe, expect, it, vi } from 'vitest'

import { type Policy, presets, RateLimiter } from '../../src/index.ts'
import type { Group } from '../../src/store/index.ts'
import { keysOf } from '../../src/store/key-value.ts'
import { admitted, by, keyed, times, view, world } from '../world.ts'

describe('holes of the original', () => {
  it('2.1 a caller without a key is limited', async () => {
    for (const keyStrategy of ['user', 'api-key', 'composite'] as const) {
      expect(await admitted(50, world().limiter({ name: 'p', limit: 1, window: 60, keyStrategy }))).toBe(1)
    }
    const custom: Policy = { name: 'p', limit: 1, window: 60, keyExtractor: () => undefined }
    expect(await admitted(50, world().limiter(custom))).toBe(1)
  })

  it('2.2 clients behind a proxy on a private address are limited', async () => {
    const behind = (client: number) =>
      view({ ip: '10.0.0.1', headers: { 'x-forwarded-for': `198.51.100.${client}` } })
    const { limiter } = world()
    expect(await admitted(50, limiter({ name: 'a', limit: 5, window: 60 }), behind(1))).toBe(5)
    const trusting = limiter({ name: 'b', limit: 5, window: 60 }, { trustedProxies: ['10.0.0.0/8'] })
    for (const client of [1, 2, 3]) expect(await admitted(50, trusting, behind(client))).toBe(5)
  })

  it('2.3 a rotated or forged X-Forwarded-For changes nothing', async () => {
    const { limiter } = world()
    const [untrusting, trusting] = [
      limiter({ name: 'a', limit: 5, window: 60 }),
      limiter({ name: 'b', limit: 5, window: 60 }, { trustedProxies: ['192.0.2.1'] }),
    ]
    let [passed, through] = [0, 0]
    for (let i = 0; i < 100; i++) {
      passed += await admitted(
        1,
        untrusting,
        view({ headers: { 'x-forwarded-for': `127.0.0.1, 1.2.3.${i}` } }),
      )
      const headers = { 'x-forwarded-for': `127.0.0.${i}, 10.0.0.${i}, 198.51.100.7` }
      through += await admitted(1, trusting, view({ ip: '192.0.2.1', headers }))
    }
    expect([passed, through]).toEqual([5, 5])
  })

  it('2.8 a new API key for each request does not give an unlimited allowance', async () => {
    const one = world().limiter(presets.STRICT_API)
    let passed = 0
    for (let i = 0; i < 1000; i++) passed += await admitted(1, one, keyed(`made-up-${i}`))
    expect(passed).toBe(250)
  })

  it('2.10 names that read alike when joined name different counters', async () => {
    const { limiter } = world()
    const named = (name: string): Policy => ({ name, limit: 1, window: 60, keyStrategy: 'user' })
    for (const [name, id] of [
      ['a', 'b.c'],
      ['a.b', 'c'],
      ['quota', 'x'],
      ['penalty', 'p'],
      ['a', 'b:c'],
      ['a', 'b'],
    ] as const) {
      expect(await admitted(2, limiter(named(name)), by(id)), `${name} ${id}`).toBe(1)
    }
  })

  it('2.10 all counters of a request have different keys in a store', async () => {
    const groups: Group[] = []
    const { store } = world()
    const spying = {
      evaluate: (group: Group) => {
        groups.push(group)
        return store.evaluate(group)
      },
      forget: () => 0,
    }
    const policies: Policy[] = [
      { name: 'p', limit: 9, window: 60, scope: 'route' },
      { name: 'p.GET', limit: 9, window: 60, keyStrategy: 'api-key' },
      { name: 'keys', limit: 9, window: 60, keyStrategy: 'composite' },
    ]
    const limiter = new RateLimiter({ store: spying, policy: policies, penalty: {}, warn: () => {} })
    await limiter.check(keyed('k', { route: '/p t:@keys' }), { idempotencyKey: 'once' })
    const [group] = groups as [Group]
    // Three counters, two address ceilings, the penalty, the idempotency key.
    expect(keysOf(group)).toHaveLength(7)
  })

  it('2.11 an asynchronous keyExtractor is awaited', async () => {
    const one = world().limiter({
      name: 'p',
      limit: 1,
      window: 60,
      keyExtractor: async request => (request as { user: { id: string } }).user.id,
    })
    expect([await admitted(2, one, by('a')), await admitted(2, one, by('b'))]).toEqual([1, 1])
  })
})

describe('failures of the original', () => {
  it('3.4 an asynchronous store is awaited', async () => {
    const { store } = world()
    const later = { evaluate: async (group: Group) => store.evaluate(group), forget: () => 0 }
    const one = new RateLimiter({ store: later, policy: { name: 'p', limit: 2, window: 60 } })
    expect((await times(3, one)).map(({ allowed, retryAfter }) => [allowed, retryAfter])).toEqual([
      [true, 0],
      [true, 0],
      [false, 30],
    ])
  })

  it('3.9 no hook and no warning can make a check reject', async () => {
    const fail = (): never => {
      throw new Error('broken')
    }
    const { limiter } = world()
    const telemetry = { onCheck: fail, onAllowed: fail, onExempt: fail, onBlocked: fail }
    const one = limiter({ name: 'p', limit: 1, window: 60 }, { telemetry, warn: fail })
    expect((await times(2, one, view({ ip: undefined }))).map(({ allowed }) => allowed)).toEqual([
      true,
      false,
    ])
  })

  it('5.2 ten thousand tenants compile ten thousand policies once, and all are garbage-collected', async () => {
    const resolve = vi.fn<() => Policy>(() => ({ name: 'tenant', limit: 5, window: 60 }))
    const one = world().limiter(resolve)
    for (let i = 0; i < 1000; i++) await one.check(by(i))
    expect(one.policyNamed('tenant')?.limit).toBe(5)
    expect(one.policies).toEqual([])
  })
})
