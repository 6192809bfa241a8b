import { describe, expect, it, vi } from 'vitest'

import { type Decision, type Policy, presets, RateLimiter } from '../../src/index.ts'
import type { Group } from '../../src/databases/index.ts'
import { admitted, by, fields, times, view, world } from '../world.ts'

const minute: Policy = { name: 'minute', limit: 3, window: 60, algorithm: 'fixed-window' }
const hour: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }
const left = ({ verdicts }: Decision): number[] => verdicts.map(({ remaining }) => remaining)

describe('check', () => {
  it('check charges all policies or none', async () => {
    const { clock, limiter } = world()
    const both = limiter([minute, hour])
    expect(left((await times(3, both))[2] as Decision)).toEqual([0, 2])
    expect(left((await times(9, both))[8] as Decision)).toEqual([0, 2])
    clock.advance(60)
    expect((await times(3, both)).map(({ allowed }) => allowed)).toEqual([true, true, false])
    // The hourly policy refused, so the policy per minute was not charged.
    expect(left(await both.peek(view()))).toEqual([1, 0])
  })

  it('check accepts any request: a Node request, a Fetch request, a view, or an empty object', async () => {
    const limiter = world().limiter({ ...minute, limit: 50 })
    const requests: [unknown, string][] = [
      [{ method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.9' } }, 'ip:203.0.113.9'],
      [new Request('https://example.com/x'), 'ip:unknown'],
      [view(), 'ip:203.0.113.7'],
      [undefined, 'ip:unknown'],
      ['text', 'ip:unknown'],
    ]
    for (const [request, key] of requests) expect((await limiter.check(request as object)).key).toBe(key)
  })

  it('check treats an identity as consume does', async () => {
    const limiter = world().limiter({ ...minute, limit: 2 })
    for (const identity of [{ user: 'anna' }, { user: 'ben' }, { custom: 'job' }, { apiKey: 'k' }])
      expect(await limiter.check(identity)).toMatchObject({ remaining: 1 })
    expect((await limiter.check({ user: 'ben' })).key).toBe('user:ben')
    // An object with an address or a user object is a request.
    expect((await limiter.check({ ip: '203.0.113.1' })).key).toBe('ip:203.0.113.1')
    expect((await limiter.check({ user: { id: 7 } })).key).toBe('ip:unknown')
  })

  it('checkView is synchronous when the store, the policies and the keys are', () => {
    const decision = world().limiter(minute).checkView(view())
    expect(decision).toMatchObject({ allowed: true, remaining: 2 })
  })

  it('check uses one counter for all methods under a global policy', async () => {
    const limiter = world().limiter(minute)
    const methods = ['GET', 'HEAD', 'POST', 'OPTIONS', 'BREW']
    const allowed = []
    for (const method of methods) allowed.push((await limiter.check(view({ method }))).allowed)
    expect(allowed).toEqual([true, true, true, false, false])
  })

  it('check admits exactly the limit out of 200 concurrent requests', async () => {
    const limiter = world().limiter({ ...minute, limit: 50 })
    const decisions = await Promise.all(Array.from({ length: 200 }, () => limiter.check(view())))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(50)
  })

  it('check counts ids that are names of object properties like any other id', async () => {
    const limiter = world().limiter({ ...minute, keyStrategy: 'user' })
    for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(await admitted(6, limiter, by(id)), id).toBe(3)
    }
    expect(({} as Record<string, unknown>)['limit']).toBeUndefined()
  })
})

describe('peek', () => {
  it('peek returns the decision of a check, and charges nothing', async () => {
    const limiter = world().limiter([minute, hour])
    for (let used = 0; used < 3; used++) {
      for (let i = 0; i < 3; i++) expect(left(await limiter.peek(view()))).toEqual([3 - used, 5 - used])
      await limiter.check(view())
    }
    const [peeked, checked] = [await limiter.peek(view()), await limiter.check(view())]
    expect(fields(peeked)).toEqual(fields(checked))
  })

  it('peek starts no cool-down', async () => {
    const { clock, limiter } = world()
    const blocking = limiter({ ...minute, blockDuration: 600 })
    await times(3, blocking)
    expect((await blocking.peek(view())).allowed).toBe(false)
    clock.advance(60)
    expect((await blocking.peek(view())).allowed).toBe(true)
    expect(await admitted(4, blocking)).toBe(3)
    expect((await blocking.peek(view())).retryAfter).toBe(600)
  })

  it('peek recognizes a request by any of its fields, and an identity by its only field', async () => {
    const limiter = world().limiter(minute)
    const { ip, ...rest } = view()
    expect((await limiter.peek({ ip, ...rest, path: '/health' })).reason).toBe('exempt')
    expect((await limiter.peek({ user: { id: 7 }, ip, ...rest, path: '/health' })).reason).toBe('exempt')
    expect((await limiter.peek({ ip: '198.51.100.4' })).key).toBe('ip:198.51.100.4')
  })

  it('peek distinguishes a request and an identity', async () => {
    const limiter = world().limiter({ ...minute, keyStrategy: 'user' })
    await limiter.check(by('42'))
    expect((await limiter.peek(by('42'))).remaining).toBe(2)
    expect((await limiter.peek({ user: '42' })).remaining).toBe(2)
    expect((await limiter.peek({ user: '43' })).remaining).toBe(3)
    expect((await limiter.peek('42')).key).toBe('custom:42')
  })
})

describe('consume', () => {
  it('consume charges every policy for the identity', async () => {
    const limiter = world().limiter([minute, { ...hour, keyStrategy: 'user' }])
    const decision = await limiter.consume({ user: '42' }, { cost: 2 })
    expect(decision.verdicts.map(({ key, remaining }) => [key, remaining])).toEqual([
      ['user:42', 1],
      ['user:42', 3],
    ])
  })

  it('consume exempts no identity, not even a private address', async () => {
    expect(await world().limiter(minute).consume({ ip: '127.0.0.1' })).toMatchObject({
      reason: 'ok',
      key: 'ip:127.0.0.1',
    })
  })
})

describe('ready and close', () => {
  it('ready returns the problems that the store finds, and close closes the store', async () => {
    const { store: plain } = world()
    const warning = {
      code: 'HALT_W_EVICTION',
      message: 'Keys may be evicted.',
      fix: 'Set noeviction.',
    } as const
    const store = {
      evaluate: (group: never) => plain.evaluate(group),
      forget: (counters: never) => plain.forget(counters),
      inspect: async () => [warning],
      close: vi.fn<() => Promise<void>>(async () => {}),
    }
    const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API })
    expect(await limiter.ready()).toEqual([warning])
    await limiter.close()
    expect(store.close).toHaveBeenCalledTimes(1)
  })

  it('ready and close do nothing for a store without inspect and close', async () => {
    const limiter = world().limiter(presets.PUBLIC_API)
    expect(await limiter.ready()).toEqual([])
    await expect(limiter.close()).resolves.toBeUndefined()
  })
})

it('a limiter awaits a store that answers later', async () => {
  const { store } = world()
  const later = { evaluate: async (group: Group) => store.evaluate(group), forget: () => 0 }
  const one = new RateLimiter({ store: later, policy: { name: 'p', limit: 2, window: 60 } })
  expect((await times(3, one)).map(({ allowed, retryAfter }) => [allowed, retryAfter])).toEqual([
    [true, 0],
    [true, 0],
    [false, 30],
  ])
})
