import { describe, expect, it } from 'vitest'

import { type Cost, type Decision, type Policy, RateLimiter, type Reservation } from '../src/index.ts'
import type { Group, Store } from '../src/store/index.ts'
import { admitted, by, fields, keyed, rejection, times, view, world } from './world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }
const bucket: Policy = { name: 'p', limit: 10, window: 10 }
const sliding: Policy = { name: 'p', limit: 10, window: 10, algorithm: 'sliding-window' }
const EACH: [string, Policy][] = [
  ['fixed window', fixed],
  ['token bucket', bucket],
  ['sliding window', sliding],
]

describe('settle', () => {
  it.each(EACH)('corrects the charge on a %s: to less, to more, to nothing', async (_name, policy) => {
    for (const [actual, left] of [
      [2, 8],
      [5, 5],
      [9, 1],
      [0, 10],
      [4.2, 5],
    ] as const) {
      const limiter = world().limiter(policy)
      await limiter.settle(await limiter.check(view(), { cost: 5 }), actual)
      expect((await limiter.peek(view())).remaining, String(actual)).toBe(left)
    }
  })

  it('corrects by name, and leaves the others as they were charged', async () => {
    const limiter = world().limiter([fixed, { ...fixed, name: 'tokens', limit: 1000 }])
    const decision = await limiter.check(view(), { cost: { p: 2, tokens: 500 } })
    await limiter.settle(decision, { tokens: 320, nobody: 5 })
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([8, 680])
  })

  it('may overdraw a window, which then shows nothing until it ends', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    await one.settle(await one.check(view()), 25)
    expect(await one.peek(view())).toMatchObject({ allowed: false, remaining: 0, retryAfter: 60 })
    clock.advance(60)
    expect((await one.peek(view())).remaining).toBe(10)
  })

  it('may overdraw a bucket, which pays the debt back by its refill', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket)
    await one.settle(await one.check(view()), 25)
    expect((await one.peek(view())).retryAfter).toBe(16)
    clock.advance(15)
    expect((await one.peek(view())).allowed).toBe(false)
    clock.advance(1)
    expect((await one.check(view())).allowed).toBe(true)
  })

  it('gives back to a bucket at most what it still owes', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket)
    const decision = await one.check(view(), { cost: 10 })
    clock.advance(8)
    await one.settle(decision, 0)
    expect((await one.peek(view())).remaining).toBe(10)
    expect(await admitted(15, one)).toBe(10)
  })

  it('gives back only to the window that was charged', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    const decision = await one.check(view(), { cost: 10 })
    clock.advance(60)
    await one.check(view(), { cost: 10 })
    await one.settle(decision, 0)
    expect((await one.peek(view())).remaining).toBe(0)
  })

  it('gives back only to the sub-window that was charged', async () => {
    const { clock, limiter } = world()
    const one = limiter(sliding)
    const decision = await one.check(view(), { cost: 4 })
    clock.advance(5)
    await one.check(view(), { cost: 6 })
    await one.settle(decision, 1)
    expect((await one.peek(view())).remaining).toBe(3)
    clock.advance(6)
    expect((await one.peek(view())).remaining).toBe(4)
  })

  it('frees nobody from a cool-down', async () => {
    const { limiter } = world()
    const blocking = limiter({ ...fixed, blockDuration: 600 })
    const decision = await blocking.check(view(), { cost: 10 })
    await blocking.check(view())
    await blocking.settle(decision, 0)
    expect(await blocking.check(view())).toMatchObject({ allowed: false, retryAfter: 600 })
  })

  it('does nothing a second time, and warns of it once', async () => {
    const { limiter, codes } = world()
    const one = limiter(fixed)
    const decision = await one.check(view(), { cost: 5 })
    await Promise.all([one.settle(decision, 2), one.settle(decision, 0), one.settle(decision, 9)])
    expect((await one.peek(view())).remaining).toBe(8)
    expect(codes()).toEqual(['HALT_W_SETTLED_TWICE'])
  })

  it('refuses what is no decision, or a copy of one', async () => {
    const limiter = world().limiter(fixed)
    const decision = await limiter.check(view(), { cost: 5 })
    const copies: unknown[] = [
      fields(decision),
      structuredClone(fields(decision)),
      JSON.parse(JSON.stringify(decision)),
    ]
    for (const copy of [...copies, null, undefined, {}, 5, Object.create(decision)]) {
      expect((await rejection(limiter.settle(copy as Decision, 0))).code).toBe('HALT_E_SETTLE')
      expect((await rejection(limiter.release(copy as Decision))).code).toBe('HALT_E_SETTLE')
    }
    expect((await limiter.peek(view())).remaining).toBe(5)
  })

  it('does nothing for what was refused, exempt or only looked at', async () => {
    const limiter = world().limiter(fixed)
    await limiter.check(view(), { cost: 8 })
    const refused = await limiter.check(view(), { cost: 5 })
    const exempt = await limiter.check(view({ path: '/health' }))
    for (const decision of [refused, exempt, await limiter.peek(view())]) await limiter.settle(decision, 0)
    expect((await limiter.peek(view())).remaining).toBe(2)
  })

  it('corrects the sum over invented keys as well', async () => {
    const { limiter } = world()
    const one = limiter({ ...fixed, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    await one.settle(await one.check(keyed('a'), { cost: 10 }), 4)
    expect(await admitted(10, one, keyed('b'))).toBe(6)
  })

  it('takes nothing where a shadow policy took nothing', async () => {
    const { limiter } = world()
    const both = limiter([fixed, { ...fixed, name: 'shadow', limit: 1, mode: 'shadow' }])
    await both.check(view())
    const decision = await both.check(view())
    await both.settle(decision, 3)
    expect((await both.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([6, 0])
    await both.settle(await both.check(view()), 0)
    expect((await both.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([6, 0])
  })

  it('does not reject when the store does not answer: the charge stands, with a warning', async () => {
    const { store, warnings } = world()
    let away = false
    const leaky: Store = {
      evaluate: (group: Group) => (away ? Promise.reject(new Error('gone')) : store.evaluate(group)),
      forget: cells => store.forget(cells),
    }
    const limiter = new RateLimiter({
      store: leaky,
      policy: fixed,
      warn: warning => void warnings.push(warning),
    })
    const decision = await limiter.check(view(), { cost: 5 })
    away = true
    await limiter.settle(decision, 0)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
    away = false
    expect((await limiter.peek(view())).remaining).toBe(5)
  })
})

describe('reserve', () => {
  it('charges an estimate, and settles or cancels it', async () => {
    const limiter = world().limiter(fixed)
    const open = (): Promise<Reservation> => limiter.reserve(by('42'), { cost: 4 })
    const [one, other] = [await open(), await open()]
    expect([one.decision.remaining, other.decision.remaining]).toEqual([6, 2])
    await one.settle(1)
    await other.cancel()
    expect((await limiter.peek(view())).remaining).toBe(9)
  })

  it('is for identities as well, and refuses as a check does', async () => {
    const limiter = world().limiter(fixed)
    const { decision, cancel } = await limiter.reserve({ user: '42' }, { cost: 10 })
    expect(decision.key).toBe('user:42')
    const refused = await limiter
      .reserve('42', { cost: 10 })
      .then(() => limiter.reserve({ user: '42' }, { cost: 1 }))
    expect(refused.decision).toMatchObject({ allowed: false, retryAfter: 60 })
    await refused.cancel()
    expect((await limiter.peek({ user: '42' })).remaining).toBe(0)
    await cancel()
    expect((await limiter.peek({ user: '42' })).remaining).toBe(10)
  })
})

describe('release', () => {
  const flight: Policy = { name: 'f', limit: 2, algorithm: 'concurrency', ttl: 30 }

  it('ends a request in flight, once', async () => {
    const limiter = world().limiter(flight)
    const [first, second, third] = await times(3, limiter)
    expect([first?.allowed, second?.allowed, third?.allowed]).toEqual([true, true, false])
    await Promise.all([1, 2, 3].map(() => limiter.release(first as Decision)))
    expect(await admitted(3, limiter)).toBe(1)
  })

  it('is not asked of a refused or exempt request', async () => {
    const limiter = world().limiter(flight)
    const [, , refused] = await times(3, limiter)
    await limiter.release(refused as Decision)
    await limiter.release(await limiter.check(view({ path: '/health' })))
    expect((await limiter.peek(view())).allowed).toBe(false)
  })

  it('is done by the ttl where it is lost', async () => {
    const { clock, limiter } = world()
    const one = limiter(flight)
    await times(2, one)
    clock.advance(29)
    expect((await one.peek(view())).allowed).toBe(false)
    clock.advance(4)
    expect(await admitted(3, one)).toBe(2)
  })

  it('gives nothing to a lease that is not its own', async () => {
    const { clock, limiter } = world()
    const one = limiter(flight)
    const [lost] = await times(2, one)
    clock.advance(33)
    await times(2, one)
    await one.release(lost as Decision)
    expect((await one.peek(view())).allowed).toBe(false)
  })

  it('is no settlement: a settled request is still in flight', async () => {
    const limiter = world().limiter([flight, fixed])
    const decision = await limiter.check(view(), { cost: { p: 5 } })
    await limiter.settle(decision, 0)
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([1, 10])
    await limiter.release(decision)
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([2, 10])
  })
})

describe('inFlight: only what fails is counted', () => {
  const logins: Policy = { name: 'logins', limit: 3, window: 60, algorithm: 'fixed-window', inFlight: 2 }
  /** Ends a request: well (it cost nothing) or not. */
  const end = async (limiter: RateLimiter, decision: Decision, failed: boolean): Promise<void> => {
    if (!failed) await limiter.settle(decision, 0 satisfies Cost)
    await limiter.release(decision)
  }

  it('lets any number of good requests pass, at most so many at once', async () => {
    const limiter = world().limiter(logins)
    for (let i = 0; i < 20; i++) await end(limiter, await limiter.check(view()), false)
    const open = await times(3, limiter)
    expect(open.map(({ allowed }) => allowed)).toEqual([true, true, false])
    expect((await limiter.peek(view())).verdicts[0]).toMatchObject({ allowed: false, policy: 'logins' })
    await end(limiter, open[0] as Decision, false)
    expect(await admitted(2, limiter)).toBe(1)
  })

  it('counts the failed ones, in whatever order they end', async () => {
    const limiter = world().limiter(logins)
    for (let i = 0; i < 3; i++) {
      expect((await limiter.peek(view())).remaining).toBe(3 - i)
      await end(limiter, await limiter.check(view()), true)
    }
    expect(await limiter.check(view())).toMatchObject({ allowed: false, remaining: 0, retryAfter: 60 })
  })

  it('never lets more through than its limit and those in flight, when all fail at once', async () => {
    const limiter = world().limiter(logins)
    let passed = 0
    for (let round = 0; round < 10; round++) {
      const allowed = (await times(5, limiter)).filter(decision => decision.allowed)
      passed += allowed.length
      for (const decision of allowed) await end(limiter, decision, true)
    }
    expect(passed).toBeLessThanOrEqual(3 + 2)
    expect(passed).toBeGreaterThanOrEqual(3)
  })
})
