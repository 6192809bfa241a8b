import { describe, expect, it } from 'vitest'

import { type Decision, type Policy, RateLimiter } from '../../src/index.ts'
import type { Group, Store } from '../../src/databases/index.ts'
import { admitted, fields, keyed, rejection, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }
const bucket: Policy = { name: 'p', limit: 10, window: 10 }
const sliding: Policy = { name: 'p', limit: 10, window: 10, algorithm: 'sliding-window' }
const EACH: [string, Policy][] = [
  ['fixed window', fixed],
  ['token bucket', bucket],
  ['sliding window', sliding],
]

describe('settle', () => {
  it.each(EACH)('settle corrects the charge of a %s to less, to more, to nothing', async (_name, policy) => {
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

  it('settle to 0 refunds everything, including policies that count requests', async () => {
    const limiter = world().limiter([
      { ...fixed, counts: 'requests' },
      { ...fixed, name: 'tokens', limit: 1000 },
    ])
    const left = async (): Promise<number[]> =>
      (await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)
    const reservation = await limiter.reserve(view(), { cost: 300 })
    await limiter.settle(await limiter.check(view(), { cost: 100 }), 50)
    expect(await left()).toEqual([8, 650])
    await reservation.cancel()
    expect(await left()).toEqual([9, 950])
    await limiter.settle(await limiter.check(view(), { cost: 100 }), 0)
    expect(await left()).toEqual([9, 950])
  })

  it('settle corrects the named policies, and leaves the charges of the others', async () => {
    const limiter = world().limiter([fixed, { ...fixed, name: 'tokens', limit: 1000 }])
    const decision = await limiter.check(view(), { cost: { p: 2, tokens: 500 } })
    await limiter.settle(decision, { tokens: 320, nobody: 5 })
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([8, 680])
  })

  it('settle may overdraw a window, which then shows 0 left until it ends', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    await one.settle(await one.check(view()), 25)
    expect(await one.peek(view())).toMatchObject({ allowed: false, remaining: 0, retryAfter: 60 })
    clock.advance(60)
    expect((await one.peek(view())).remaining).toBe(10)
  })

  it('settle may overdraw a bucket, which pays the debt back by its refill', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket)
    await one.settle(await one.check(view()), 25)
    expect((await one.peek(view())).retryAfter).toBe(16)
    clock.advance(15)
    expect((await one.peek(view())).allowed).toBe(false)
    clock.advance(1)
    expect((await one.check(view())).allowed).toBe(true)
  })

  it('settle refunds to a bucket at most its debt', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket)
    const decision = await one.check(view(), { cost: 10 })
    clock.advance(8)
    await one.settle(decision, 0)
    expect((await one.peek(view())).remaining).toBe(10)
    expect(await admitted(15, one)).toBe(10)
  })

  it('settle refunds only to the window that was charged', async () => {
    const { clock, limiter } = world()
    const one = limiter(fixed)
    const decision = await one.check(view(), { cost: 10 })
    clock.advance(60)
    await one.check(view(), { cost: 10 })
    await one.settle(decision, 0)
    expect((await one.peek(view())).remaining).toBe(0)
  })

  it('settle refunds only to the sub-window that was charged', async () => {
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

  it('settle does not end a cool-down', async () => {
    const { limiter } = world()
    const blocking = limiter({ ...fixed, blockDuration: 600 })
    const decision = await blocking.check(view(), { cost: 10 })
    await blocking.check(view())
    await blocking.settle(decision, 0)
    expect(await blocking.check(view())).toMatchObject({ allowed: false, retryAfter: 600 })
  })

  it('settle does nothing the second time, and warns once', async () => {
    const { limiter, codes } = world()
    const one = limiter(fixed)
    const decision = await one.check(view(), { cost: 5 })
    await Promise.all([one.settle(decision, 2), one.settle(decision, 0), one.settle(decision, 9)])
    expect((await one.peek(view())).remaining).toBe(8)
    expect(codes()).toEqual(['HALT_W_SETTLED_TWICE'])
  })

  it('settle does nothing for a refusal, any number of times, without a warning', async () => {
    const { limiter, codes } = world()
    const one = limiter(fixed)
    const { decision, settle, cancel } = await one.reserve(view(), { cost: 11 })
    expect(decision.allowed).toBe(false)
    await settle(0)
    await settle(1)
    await cancel()
    expect([(await one.peek(view())).remaining, codes()]).toEqual([10, []])
  })

  it('a settlement stands when a finally block cancels the reservation', async () => {
    const { limiter, codes } = world()
    const one = limiter(fixed)
    const { settle, cancel } = await one.reserve(view(), { cost: 5 })
    await settle(2)
    await cancel()
    expect([(await one.peek(view())).remaining, codes()]).toEqual([8, []])
    const other = await one.reserve(view(), { cost: 5 })
    await other.cancel()
    expect((await one.peek(view())).remaining).toBe(8)
  })

  it('settle refuses a value that is not a decision, and a copy of a decision', async () => {
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

  it('settle does nothing for a refusal, an exempt request or a peek', async () => {
    const limiter = world().limiter(fixed)
    await limiter.check(view(), { cost: 8 })
    const refused = await limiter.check(view(), { cost: 5 })
    const exempt = await limiter.check(view({ path: '/health' }))
    for (const decision of [refused, exempt, await limiter.peek(view())]) await limiter.settle(decision, 0)
    expect((await limiter.peek(view())).remaining).toBe(2)
  })

  it('settle corrects the address ceiling of unverified keys as well', async () => {
    const { limiter } = world()
    const one = limiter({ ...fixed, keyStrategy: 'api-key' }, { keysPerAddress: 1 })
    await one.settle(await one.check(keyed('a'), { cost: 10 }), 4)
    expect(await admitted(10, one, keyed('b'))).toBe(6)
  })

  it('settle changes nothing of a shadow policy that charged nothing', async () => {
    const { limiter } = world()
    const both = limiter([fixed, { ...fixed, name: 'shadow', limit: 4, mode: 'shadow' }])
    const left = async (): Promise<number[]> =>
      (await both.peek(view())).verdicts.map(({ remaining }) => remaining)
    await both.check(view(), { cost: 3 })
    const decision = await both.check(view(), { cost: 2 })
    expect(await left()).toEqual([5, 1])
    await both.settle(decision, 0)
    expect(await left()).toEqual([7, 1])
    await both.settle(await both.check(view(), { cost: 1 }), 0)
    expect(await left()).toEqual([7, 1])
  })

  it('settle does not reject when the store fails, keeps the charge, and warns', async () => {
    const { store, warnings } = world()
    let away = false
    const leaky: Store = {
      evaluate: (group: Group) => (away ? Promise.reject(new Error('gone')) : store.evaluate(group)),
      forget: counters => store.forget(counters),
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
