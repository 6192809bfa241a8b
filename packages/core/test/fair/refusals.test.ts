// What a refused tenant is told, and what else touches its share meanwhile.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { guard } from '../../src/http/index.ts'
import { aWorld, inVirtualTime, perSecond } from '../line/rows.ts'
import { by, mistake } from '../world.ts'

inVirtualTime()

const BACKEND = {
  name: 'backend',
  limit: 100,
  window: 1,
  burst: 40,
  keyStrategy: 'shared',
  fair: { by: 'user' },
} as const

function aLimiter(policy: object | readonly object[] = BACKEND, more: object = {}) {
  const clock = new ManualClock(1_700_000_000_000)
  const store = new ReferenceStore(clock.now)
  const warned: string[] = []
  const limiter = new RateLimiter({
    store,
    policy: policy as never,
    warn: ({ code }) => void warned.push(code),
    exemptPrivateIps: false,
    ...more,
  })
  /** Lets a tenant take all that is free, and some units come back. */
  const drain = async (user: string): Promise<number> => {
    let taken = 0
    while ((await limiter.consume({ user })).allowed) taken++
    clock.advance('50ms')
    return taken
  }
  return { clock, store, limiter, warned, drain }
}

describe('a refusal in favour of other tenants', () => {
  it('a fair-share refusal has its reason and its tenant as key, and another tenant is served', async () => {
    const { clock, limiter } = aLimiter()
    for (let i = 0; i < 40; i++) await limiter.consume({ user: 'a' })
    clock.advance('50ms')
    const refused = await limiter.consume({ user: 'a' })
    expect(refused).toMatchObject({ allowed: false, reason: 'fair-share', key: 'user:a', policy: 'backend' })
    // Another tenant is served from what is left.
    expect((await limiter.consume({ user: 'b' })).allowed).toBe(true)
  })

  it('a tenant that is refused for its share gains and loses nothing by asking again', async () => {
    const play = async (asks: number): Promise<unknown> => {
      const { clock, limiter } = aLimiter()
      for (let i = 0; i < 40; i++) await limiter.consume({ user: 'a' })
      clock.advance('50ms')
      const { retryAfterMs } = await limiter.peek({ user: 'a' })
      for (let i = 0; i < asks; i++)
        expect(await limiter.consume({ user: 'a' })).toMatchObject({ reason: 'fair-share', retryAfterMs })
      const after: unknown[] = []
      for (let i = 0; i < 30; i++) {
        clock.advance('7ms')
        for (const user of ['a', 'b']) {
          const { allowed, reason, remaining, retryAfterMs } = await limiter.consume({ user })
          after.push([user, allowed, reason, remaining, retryAfterMs])
        }
      }
      return after
    }
    expect(await play(50)).toEqual(await play(1))
  })

  it('a fair-share refusal tells the first millisecond at which the same request passes, if nobody else asks', async () => {
    let refusals = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            user: fc.constantFrom('a', 'b', 'c'),
            cost: fc.integer({ min: 1, max: 9 }),
            after: fc.integer({ min: 0, max: 30_000 }),
          }),
          { minLength: 40, maxLength: 60 },
        ),
        fc.integer({ min: 1, max: 9 }),
        async (past, cost) => {
          const { clock, limiter } = aLimiter()
          for (const { user, cost: units, after } of past) {
            clock.advance(after / 1e6)
            await limiter.consume({ user }, { cost: units })
          }
          const refused = await limiter.consume({ user: 'a' }, { cost })
          if (refused.allowed) return
          if (refused.reason === 'fair-share') refusals++
          clock.advance((refused.retryAfterMs - 1) / 1000)
          expect((await limiter.consume({ user: 'a' }, { cost })).allowed).toBe(false)
          clock.advance(1 / 1000)
          expect((await limiter.consume({ user: 'a' }, { cost })).allowed).toBe(true)
        },
      ),
      { seed: 3, numRuns: 60 },
    )
    expect(refusals).toBeGreaterThan(20)
  })

  it('two tenants that send one idempotency key are two calls, and each call is charged once', async () => {
    const { limiter } = aLimiter()
    const left: number[] = []
    for (const user of ['a', 'b', 'a', 'b'])
      left.push((await limiter.consume({ user }, { idempotencyKey: 'order 1' })).remaining)
    expect(left).toEqual([39, 38, 38, 38])
  })

  it('a request that takes nothing of the shared limit gets no fair-share refusal', async () => {
    const own = { name: 'own', limit: 1000, window: 1, keyStrategy: 'user' } as const
    const { limiter, drain } = aLimiter([BACKEND, own])
    await drain('a')
    expect((await limiter.consume({ user: 'a' }, { cost: { backend: 0, own: 2 } })).allowed).toBe(true)
    const refused = await limiter.consume({ user: 'a' }, { cost: { backend: 0, own: 1000 } })
    expect([refused.policy, refused.retryAfterMs]).toEqual(['own', 2])
    const outer = guard(limiter, { policy: BACKEND })
    const inner = guard(limiter, { policy: [BACKEND, own] })
    let passed = 0
    for (let i = 0; i < 10; i++) {
      const request = {}
      if ((await outer.enter(by('b'), request)).decision?.allowed !== true) continue
      passed++
      expect((await inner.enter(by('b'), request)).decision).toMatchObject({ allowed: true })
    }
    expect(passed).toBeGreaterThan(2)
  })

  it('a settlement back does not count against its tenant', async () => {
    const { clock, limiter } = aLimiter({ ...BACKEND, burst: 400 })
    let used = { a: 0, b: 0 }
    const ms = isFull ? 8000 : 4000
    for (let i = 0; i < ms; i++) {
      clock.advance('1ms')
      // One reserves ten times what it uses, the other what it uses.
      for (const [user, cost, actual] of [
        ['a', 20, 2],
        ['b', 2, 2],
      ] as const) {
        const call = await limiter.reserve({ user }, { cost })
        if (!call.decision.allowed) continue
        await call.settle(actual)
        if (i > ms / 2) used = { ...used, [user]: used[user] + actual }
      }
    }
    expect(used.a / used.b).toBeGreaterThan(0.97)
    expect(used.a / used.b).toBeLessThan(1.03)
  })

  it('a fair-share refusal charges no other policy of its request', async () => {
    const { limiter, drain } = aLimiter([
      BACKEND,
      { name: 'own', limit: 1000, window: 60, keyStrategy: 'user' },
    ])
    const taken = await drain('a')
    const { verdicts } = await limiter.peek({ user: 'a' })
    expect(verdicts.find(one => one.policy === 'own')?.remaining).toBe(1000 - taken)
  })

  it('a fair-share refusal ends when the tenant is reset, and that of another tenant stays', async () => {
    const { limiter, drain } = aLimiter()
    for (const user of ['a', 'b']) await drain(user)
    const reason = async (user: string): Promise<string> => (await limiter.peek({ user })).reason
    const left = async (): Promise<number> => (await limiter.peek({ user: 'c' })).verdicts[0]!.remaining
    expect([await reason('a'), await reason('b'), await left()]).toEqual(['fair-share', 'fair-share', 5])
    await limiter.reset({ user: 'a' })
    expect([await reason('a'), await reason('b'), await left()]).toEqual(['ok', 'fair-share', 5])
  })

  it('a process alone holds fair shares while the store is away', async () => {
    const world = await aWorld({
      ...perSecond(100, 40),
      keyStrategy: 'shared',
      fair: { by: 'user' },
    } as never)
    world.network.begin('away')
    /** Lets a tenant ask once, or more often. */
    const ask = async (user: string, times = 1): Promise<unknown[]> => {
      const callers = Array.from({ length: times }, () => world.ask(0, { user, by: 'check' }))
      await world.pass(1)
      return callers.map(({ ask: { end, degraded } }) => [end, degraded])
    }
    await ask('loud', 100)
    for (let round = 0; round < 10; round++) {
      await world.pass(50)
      // A bucket that is not shared fairly has nothing left after this.
      await ask('loud', 100)
      expect(await ask('quiet')).toEqual([['started', 'local']])
    }
  })
})

describe('the tenant of a request', () => {
  const view = (request: object) => ({ method: 'GET', path: '/', headers: {}, ip: '203.0.113.7', request })

  it('requests that name no tenant are one tenant, unless the policy says otherwise', async () => {
    const { limiter } = aLimiter()
    expect((await limiter.checkView(view({}))).key).toBe('tenant:unknown')
    const byAddress = aLimiter({ ...BACKEND, onMissingKey: 'ip' })
    expect((await byAddress.limiter.checkView(view({}))).key).toBe('ip:203.0.113.7')
    const denying = aLimiter({ ...BACKEND, onMissingKey: 'deny' })
    expect((await denying.limiter.checkView(view({}))).reason).toBe('missing-key')
  })

  it('a function may name the tenant, late too, and a weight that fails is 1', async () => {
    const fair = { by: async (request: { tenant: string }) => request.tenant, weight: () => 0.5 }
    const { limiter, warned } = aLimiter({ ...BACKEND, fair })
    expect((await limiter.checkView(view({ tenant: 'acme' }))).key).toBe('custom:acme')
    expect(warned).toContain('HALT_W_CALLBACK')
  })

  it('a tenant that a client can invent is warned of', async () => {
    const { limiter, warned } = aLimiter({ ...BACKEND, fair: { by: 'api-key' } })
    await limiter.checkView({ ...view({}), headers: { 'x-api-key': 'k' } })
    expect(warned).toContain('HALT_W_UNVERIFIED_API_KEY')
  })
})

describe('fair', () => {
  it.each([
    ['no object', 'user'],
    ['an unknown key', { by: 'tenant' }],
    ['no key', {}],
    ['a weight of 0', { by: 'user', weight: 0 }],
    ['a weight of 101', { by: 'user', weight: 101 }],
    ['a fraction as weight', { by: 'user', weight: 1.5 }],
  ])('fair is refused with %s', (_, fair) => {
    expect(mistake(() => aLimiter({ ...BACKEND, fair })).code).toBe('HALT_E_FAIR')
  })

  it.each([
    ['a window', { algorithm: 'fixed-window', burst: undefined }],
    ['a sliding window', { algorithm: 'sliding-window', burst: undefined }],
    ['a counter of one client', { keyStrategy: 'user' }],
    ['a key extractor', { keyExtractor: () => 'k' }],
    ['a lease', { lease: { share: 0.1 } }],
    ['a block of all after a refusal of one', { blockDuration: 60 }],
    ['a quota', { period: 'daily', window: undefined, burst: undefined }],
  ])('fair does not go with %s', (_, more) => {
    expect(mistake(() => aLimiter({ ...BACKEND, ...more })).code).toBe('HALT_E_FAIR')
  })
})
