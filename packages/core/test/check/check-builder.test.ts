import { describe, expect, it } from 'vitest'

import {
  type Decision,
  type Policy,
  QuotaManager,
  type RateLimiter,
  type RequestView,
} from '../../src/index.ts'
import { admitted, by, CLIENT, keyed, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }

describe('invented API keys', () => {
  const policy: Policy = { ...fixed, limit: 5, keyStrategy: 'api-key' }
  /** How many of some requests pass when each has a key of its own. */
  async function invent(
    count: number,
    limiter: RateLimiter,
    make: (key: string) => RequestView = keyed,
  ): Promise<number> {
    let passed = 0
    for (let i = 0; i < count; i++) passed += await admitted(1, limiter, make(`key-${i}`))
    return passed
  }

  it('invented API keys of one address together get keysPerAddress times the limit', async () => {
    const { limiter } = world()
    expect(await invent(200, limiter(policy))).toBe(50)
    expect(await invent(200, limiter({ ...policy, name: 'two' }, { keysPerAddress: 2 }))).toBe(10)
  })

  it('an invented API key gets at most the limit', async () => {
    const { limiter } = world()
    const one = limiter(policy)
    expect(await admitted(20, one, keyed('a'))).toBe(5)
    const refused = await one.check(keyed('a'))
    expect(refused.key).toMatch(/^api-key:#/)
  })

  it('the address ceiling refuses invented API keys once it is used up', async () => {
    const one = world().limiter(policy, { keysPerAddress: 1 })
    await invent(5, one)
    expect(await one.check(keyed('another'))).toMatchObject({
      allowed: false,
      reason: 'limited',
      key: `ip:${CLIENT}`,
    })
  })

  it('API keys of another address, and verified keys, have counters of their own', async () => {
    const { limiter } = world()
    const one = limiter(policy, { keysPerAddress: 1 })
    await invent(10, one)
    expect(await admitted(9, one, keyed('x', { ip: '198.51.100.1' }))).toBe(5)
    const verifying = limiter(policy, {
      keysPerAddress: 1,
      apiKey: request => (request as { key?: string }).key,
    })
    expect(await invent(20, verifying, key => view({ request: { key } }))).toBe(20)
  })

  it('invented API keys are capped in composite keys as well', async () => {
    expect(
      await invent(100, world().limiter({ ...policy, keyStrategy: 'composite' }, { keysPerAddress: 3 })),
    ).toBe(15)
  })

  it('invented API keys have a ceiling per route under a route policy, so one honest key can use every route', async () => {
    const { limiter } = world()
    const routes = Array.from({ length: 25 }, (_, i) => `/r${i}`)
    const one = limiter({ ...policy, scope: 'route' })
    for (const route of routes) expect(await admitted(6, one, keyed('mine', { route })), route).toBe(5)
    const invented = limiter({ ...policy, name: 'two', scope: 'route' }, { keysPerAddress: 2 })
    for (const route of routes.slice(0, 3))
      expect(await invent(30, invented, key => keyed(key, { route })), route).toBe(10)
  })

  it('invented API keys do not use the counter of the address itself', async () => {
    const one = world().limiter(policy, { keysPerAddress: 1 })
    await invent(10, one)
    expect(await admitted(9, one)).toBe(5)
  })

  it('an invented API key starts a cool-down only for itself', async () => {
    const one = world().limiter({ ...policy, blockDuration: 600 })
    await admitted(9, one, keyed('mine'))
    expect((await one.check(keyed('mine'))).retryAfter).toBe(600)
    expect((await one.check(keyed('yours'))).allowed).toBe(true)
  })
})

describe('scope "route"', () => {
  const scoped: Policy = { ...fixed, limit: 2, scope: 'route' }
  const at = (route: string, changes: Partial<RequestView> = {}): RequestView => view({ route, ...changes })

  it('scope "route" counts each matched route, HEAD as GET', async () => {
    const limiter = world().limiter(scoped)
    expect(await admitted(3, limiter, at('/users/:id', { path: '/users/1' }))).toBe(2)
    expect(await admitted(3, limiter, at('/users/:id', { path: '/users/2' }))).toBe(0)
    expect(await admitted(3, limiter, at('/users/:id', { method: 'HEAD' }))).toBe(0)
    expect(await admitted(3, limiter, at('/users/:id', { method: 'POST' }))).toBe(2)
    expect(await admitted(3, limiter, at('/users'))).toBe(2)
  })

  it('scope "route" gives different routes different counters, however they are spelled', async () => {
    const limiter = world().limiter(scoped)
    for (const route of ['/a b', '/a', '/b:x', '/{tag}', '/a@b', '/keys', '*', '@keys:t']) {
      expect(await admitted(3, limiter, at(route)), route).toBe(2)
    }
  })

  it('scope "route" counts all requests without a known route on one counter, and warns', async () => {
    const { limiter, codes } = world()
    const one = limiter(scoped)
    expect(await admitted(3, one, view({ path: '/login' }))).toBe(2)
    for (const path of ['/login/', '/x', '/']) expect(await admitted(3, one, view({ path })), path).toBe(0)
    expect(await admitted(3, one, view({ method: 'POST' }))).toBe(0)
    expect(codes()).toEqual(['HALT_W_NO_ROUTE'])
  })

  it('scope "route" counts a handler of several methods once', async () => {
    const limiter = world().limiter(scoped)
    const route = { pattern: '/x', method: 'ALL' }
    const methods = ['GET', 'POST', 'PURGE']
    const passed = await Promise.all(methods.map(method => admitted(3, limiter, view({ method, route }))))
    expect(passed.reduce((sum, each) => sum + each)).toBe(2)
  })

  it('scope "route" ignores a trailing slash', async () => {
    const limiter = world().limiter(scoped)
    expect(await admitted(3, limiter, at('/users'))).toBe(2)
    expect(await admitted(3, limiter, at('/users/'))).toBe(0)
  })

  it('scope "route" counts the routes of each client separately', async () => {
    const limiter = world().limiter(scoped)
    await admitted(3, limiter, at('/a'))
    expect(await admitted(3, limiter, at('/a', { ip: '198.51.100.1' }))).toBe(2)
  })
})

describe('an idempotency key', () => {
  const ask = (limiter: RateLimiter, idempotencyKey: string, cost = 1, request = view()): Promise<Decision> =>
    limiter.check(request, { idempotencyKey, cost })

  it('an idempotency key charges once, and a repeat shows the current rest', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    expect(await ask(one, 'a', 3)).toMatchObject({ allowed: true, cost: 3, remaining: 7 })
    await one.check(view())
    expect(await ask(one, 'a', 3)).toMatchObject({ allowed: true, cost: 0, remaining: 6 })
    expect(await ask(one, 'b', 3)).toMatchObject({ allowed: true, remaining: 3 })
    clock.advance(59)
    expect(await ask(one, 'a', 3)).toMatchObject({ cost: 0 })
    clock.advance(1)
    expect(await ask(one, 'a', 3)).toMatchObject({ cost: 3, remaining: 7 })
  })

  it('an idempotency key lets a repeat pass even when nothing is left', async () => {
    const one = world().limiter(fixed)
    await ask(one, 'a', 10)
    expect((await one.check(view())).allowed).toBe(false)
    expect(await ask(one, 'a', 10)).toMatchObject({ allowed: true, cost: 0, remaining: 0 })
  })

  it('a refused call leaves no record of its idempotency key', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    await one.check(view(), { cost: 8 })
    expect((await ask(one, 'a', 5)).allowed).toBe(false)
    expect((await ask(one, 'a', 5)).allowed).toBe(false)
    clock.advance(60)
    expect(await ask(one, 'a', 5)).toMatchObject({ allowed: true, remaining: 5 })
  })

  it('an idempotency key is scoped to its client and its policy', async () => {
    const { limiter } = world()
    const one = limiter(fixed)
    await ask(one, 'a')
    expect((await ask(one, 'a', 1, view({ ip: '198.51.100.1' }))).cost).toBe(1)
    expect((await ask(limiter({ ...fixed, name: 'other' }), 'a')).cost).toBe(1)
  })

  it('an idempotency key may be any string, and its charge is settled only once', async () => {
    const one = world().limiter({ ...fixed, limit: 100 })
    for (const key of [' ', 'x'.repeat(1 << 20), '\ud800', 'a:i', '__proto__', '{t}', '\0']) {
      const first = await ask(one, key, 3)
      const again = await ask(one, key, 3)
      expect([first.cost, again.cost]).toEqual([3, 0])
      await one.settle(again, 0)
    }
    expect((await one.peek(view())).remaining).toBe(100 - 21)
  })

  it('an empty idempotency key counts as none, so a missing header admits no one', async () => {
    const { limiter, store } = world()
    const one = limiter(fixed)
    for (let i = 0; i < 3; i++) expect((await ask(one, '')).cost).toBe(1)
    const quota = { name: 'q', limit: 10, period: 'daily' } as const
    const quotas = new QuotaManager(store)
    for (const used of [1, 2])
      expect((await quotas.consumeQuota('u', quota, { idempotencyKey: '' })).quota.used).toBe(used)
  })

  it('an idempotency key charges only one of 50 concurrent calls', async () => {
    const one = world().limiter({ ...fixed, limit: 100 })
    const decisions = await Promise.all(Array.from({ length: 50 }, () => ask(one, 'a')))
    expect(decisions.filter(({ cost }) => cost === 1)).toHaveLength(1)
    expect((await one.peek(view())).remaining).toBe(99)
  })

  it('an idempotency key of one user lets no other user of the same address pass', async () => {
    const user: Policy = { name: 'user', limit: 1, window: 60, keyStrategy: 'user' }
    const one = world().limiter([{ ...fixed, limit: 100 }, user])
    for (const id of [1, 2, 3])
      expect(await ask(one, 'order-1', 1, by(id))).toMatchObject({ allowed: true, cost: 1 })
    expect(await ask(one, 'order-1', 1, by(1))).toMatchObject({ allowed: true, cost: 0 })
    expect(await ask(one, 'order-2', 1, by(1))).toMatchObject({ allowed: false, policy: 'user' })
    expect((await one.peek({ ip: CLIENT })).verdicts[0]?.remaining).toBe(97)
  })

  it('an idempotency key stays scoped to its client when the first counter is shared', async () => {
    const everybody: Policy = { name: 'all', limit: 100, window: 60, keyStrategy: 'shared' }
    const user: Policy = { name: 'user', limit: 1, window: 60, keyStrategy: 'user' }
    const one = world().limiter([everybody, user])
    await ask(one, 'k', 1, by(1))
    await ask(one, 'k', 1, by(2))
    expect((await one.peek(by(2))).verdicts.map(({ remaining }) => remaining)).toEqual([98, 0])
  })

  it('an idempotency key is bound to the cost and policies of its call, and makes no other call free', async () => {
    const { limiter } = world()
    const one = limiter({ ...fixed, limit: 100 })
    expect([(await ask(one, 'a', 1)).cost, (await ask(one, 'a', 9)).cost]).toEqual([1, 9])
    expect([(await ask(one, 'a', 9)).cost, (await ask(one, 'a', 1)).cost]).toEqual([0, 0])
    expect((await one.peek(view())).remaining).toBe(90)
  })

  it('an idempotency key stays the same at a later guard with a higher cost, whose retry is free as well', async () => {
    const one = world().limiter({ ...fixed, limit: 100 })
    const pass = async (): Promise<number[]> => {
      const first = await ask(one, 'a', 2)
      const priorGuards = { decisions: [first], storeFailed: false }
      const second = await one.checkView(view(), { idempotencyKey: 'a', cost: 5, priorGuards })
      return [first.cost, second.cost]
    }
    expect(await pass()).toEqual([2, 3])
    expect(await pass()).toEqual([0, 0])
    expect((await one.peek(view())).remaining).toBe(95)
  })

  it('a repeated call takes a place in flight, which its release returns', async () => {
    const { limiter, clock } = world()
    const flight: Policy = { name: 'flight', algorithm: 'concurrency', limit: 2, ttl: 600 }
    const one = limiter([{ ...fixed, limit: 100 }, flight])
    const first = await ask(one, 'a', 3)
    const again = await ask(one, 'a', 3)
    expect(again.verdicts.map(({ remaining }) => remaining)).toEqual([97, 0])
    expect([...one.chargesOf(again)]).toEqual([['flight', 1]])
    const refused = await ask(one, 'a', 3)
    expect(refused).toMatchObject({ allowed: false, policy: 'flight', cost: 1, retryAfter: 600 })
    clock.advance(1)
    await one.settle(again, 0)
    await one.release(again)
    const left = async (): Promise<number[]> =>
      (await one.peek(view())).verdicts.map(({ remaining }) => remaining)
    expect(await left()).toEqual([97, 1])
    await one.release(first)
    expect(await left()).toEqual([97, 2])
  })

  it('a repeated call takes a new lease, and is charged the held cost once', async () => {
    const one = world().limiter({ ...fixed, inFlight: 2 })
    const first = await ask(one, 'a', 3)
    const again = await ask(one, 'a', 3)
    expect(again.allowed).toBe(true)
    expect(await ask(one, 'a', 3)).toMatchObject({ allowed: false, retryAfter: 60 })
    await one.release(again)
    expect(await one.inspect(view())).toMatchObject([{ used: 0 }, { counter: 'in-flight', used: 1 }])
    await one.release(first)
    expect(await one.inspect(view())).toMatchObject([{ used: 3 }, { counter: 'in-flight', used: 0 }])
  })

  it('an idempotency key works for identities', async () => {
    const one = world().limiter(fixed)
    for (let i = 0; i < 3; i++) await one.consume({ user: '1' }, { idempotencyKey: 'job' })
    expect((await one.peek({ user: '1' })).remaining).toBe(9)
  })
})
