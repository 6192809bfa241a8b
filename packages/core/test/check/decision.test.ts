import { inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import type { Decision, Policy } from '../../src/index.ts'
import { CLIENT, fields, START, times, view, world } from '../world.ts'

const NOW = START / 1000
const bucket = (name: string, limit: number, window: number, more: Partial<Policy> = {}): Policy =>
  ({ name, limit, window, ...more }) as Policy
const fixed = (name: string, limit: number, window: number, more: Partial<Policy> = {}): Policy =>
  bucket(name, limit, window, { algorithm: 'fixed-window', ...more } as Partial<Policy>)

describe('a decision', () => {
  it('a decision has exactly the documented fields', async () => {
    const decision = await world()
      .limiter(bucket('p', 10, 60))
      .check(view())
    expect(fields(decision)).toEqual({
      allowed: true,
      reason: 'ok',
      policy: 'p',
      limit: 10,
      remaining: 9,
      resetAt: NOW + 6,
      retryAfter: 0,
      retryAfterMs: 0,
      cost: 1,
      key: `ip:${CLIENT}`,
      degraded: false,
      verdicts: [
        {
          policy: 'p',
          allowed: true,
          reason: 'ok',
          limit: 10,
          remaining: 9,
          resetAt: NOW + 6,
          retryAfter: 0,
          key: `ip:${CLIENT}`,
          mode: 'enforce',
        },
      ],
    })
  })

  it('a decision prints and serialises with exactly its fields, verdicts among them', async () => {
    const decision = await world()
      .limiter(bucket('p', 10, 60))
      .check(view())
    const names = Object.keys(fields(decision))
    expect(Object.keys(JSON.parse(JSON.stringify(decision)) as object)).toEqual(names)
    const printed = inspect(decision)
    expect(printed).toMatch(/^Decision \{/)
    for (const name of names) expect(printed).toContain(`${name}: `)
    // The list is no property of its own, because it is made on first read.
    expect(Object.keys(decision)).toEqual(names.filter(name => name !== 'verdicts'))
    expect(decision.verdicts).toBe(decision.verdicts)
  })

  it('a decision tells the wait in milliseconds as well, rounded up', async () => {
    const limiter = world().limiter(bucket('p', 7, 10, { burst: 1 }))
    const [, refused] = await times(2, limiter)
    expect(refused).toMatchObject({ retryAfter: 2, retryAfterMs: 1429 })
    expect(await limiter.check(view(), { cost: 9 })).toMatchObject({
      retryAfter: Number.POSITIVE_INFINITY,
      retryAfterMs: Number.POSITIVE_INFINITY,
    })
  })

  it('a decision is frozen, including its verdicts', async () => {
    const limiter = world().limiter([bucket('p', 1, 60), bucket('q', 1, 60)])
    const [allowed, refused] = await times(2, limiter)
    const exempt = await limiter.check(view({ path: '/health' }))
    for (const decision of [allowed, refused, exempt, await limiter.peek(view())] as Decision[]) {
      expect(Object.isFrozen(decision)).toBe(true)
      expect(Object.isFrozen(decision.verdicts)).toBe(true)
      for (const evaluation of decision.verdicts) expect(Object.isFrozen(evaluation)).toBe(true)
      expect(() => Object.assign(decision, { allowed: true })).toThrow(TypeError)
    }
  })

  it('the decision of an exempt request has no verdicts, the whole limit left, and resets now', async () => {
    const exempt = await world(START + 200)
      .limiter([bucket('p', 10, 60), bucket('q', 5, 60)])
      .check(view({ path: '/health' }))
    expect(fields(exempt)).toEqual({
      allowed: true,
      reason: 'exempt',
      policy: 'p',
      limit: 10,
      remaining: 10,
      resetAt: NOW + 1,
      retryAfter: 0,
      retryAfterMs: 0,
      cost: 0,
      key: `ip:${CLIENT}`,
      degraded: false,
      verdicts: [],
    })
  })
})

describe('the binding policy', () => {
  it('the policy with the least left of its limit binds an allowed request', async () => {
    const limiter = world().limiter([fixed('wide', 100, 60), fixed('tight', 4, 60), fixed('middle', 10, 60)])
    expect(await limiter.check(view())).toMatchObject({ policy: 'tight', limit: 4, remaining: 3 })
    expect(await limiter.check(view(), { cost: { wide: 90 } })).toMatchObject({
      policy: 'wide',
      remaining: 9,
    })
  })

  it('the refusing policy with the longest wait binds a refused request', async () => {
    const { clock, limiter } = world()
    const one = limiter([fixed('short', 2, 10), fixed('long', 2, 100), fixed('open', 100, 1000)])
    await times(2, one)
    expect(await one.check(view())).toMatchObject({ policy: 'long', retryAfter: 100, allowed: false })
    clock.advance(10)
    expect(await one.check(view(), { cost: { long: 0 } })).toMatchObject({ allowed: true })
    expect(await one.check(view())).toMatchObject({ policy: 'long', retryAfter: 90 })
  })

  it('microseconds choose the binding policy when the seconds are equal', async () => {
    const limiter = world().limiter([fixed('a', 1, '9100ms' as never), fixed('b', 1, '9900ms' as never)])
    await limiter.check(view())
    expect(await limiter.check(view())).toMatchObject({ policy: 'b', retryAfter: 10 })
  })
})

describe('retryAfter', () => {
  it('retryAfter is 0 for an allowed request, and whole seconds, rounded up, for a refused one', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket('p', 3, 10))
    expect((await times(3, one)).map(({ retryAfter }) => retryAfter)).toEqual([0, 0, 0])
    // One unit every 3.33 s.
    expect((await one.check(view())).retryAfter).toBe(4)
    clock.advance('3s')
    expect((await one.check(view())).retryAfter).toBe(1)
    clock.advance('333ms')
    expect((await one.check(view())).retryAfter).toBe(1)
    clock.advance('1ms')
    expect((await one.check(view())).allowed).toBe(true)
  })

  it('retryAfter covers the whole request: the policy with the longest wait, cool-downs included', async () => {
    const limiter = world().limiter([fixed('a', 1, 10, { blockDuration: 50 }), fixed('b', 1, 30)])
    await limiter.check(view())
    const decision = await limiter.check(view())
    expect(decision).toMatchObject({ policy: 'a', retryAfter: 50 })
    expect(decision.verdicts.map(({ retryAfter }) => retryAfter)).toEqual([50, 30])
  })

  it('retryAfter includes policies that will refuse under the penalty that this refusal starts', async () => {
    const { clock, limiter } = world()
    const penalty = { threshold: 1, multiplier: 0.5, duration: 60 }
    const both = limiter([fixed('a', 10, 100), fixed('b', 1, 5)], { penalty })
    for (let i = 0; i < 8; i++) await both.check(view(), { cost: { a: 1, b: 0 } })
    await both.check(view())
    const refused = await both.check(view())
    expect(refused.allowed).toBe(false)
    clock.advance(refused.retryAfter - 1)
    expect((await both.peek(view())).allowed).toBe(false)
    clock.advance(1)
    expect((await both.check(view())).allowed).toBe(true)
  })
})

describe('resetAt and remaining', () => {
  it('resetAt and remaining describe the state after this request', async () => {
    const { limiter } = world()
    expect(await limiter(bucket('b', 10, 60)).check(view(), { cost: 10 })).toMatchObject({
      remaining: 0,
      resetAt: NOW + 60,
    })
    expect(await limiter(fixed('f', 10, 60)).check(view(), { cost: 10 })).toMatchObject({
      remaining: 0,
      resetAt: NOW + 60,
    })
    const sliding = limiter({ name: 's', limit: 10, window: 60, algorithm: 'sliding-window' })
    expect(await sliding.check(view(), { cost: 10 })).toMatchObject({ remaining: 0, resetAt: NOW + 66 })
  })

  it('a refusal does not change resetAt and remaining', async () => {
    const { clock, limiter } = world()
    const one = limiter(bucket('b', 10, 60))
    await one.check(view(), { cost: 8 })
    expect(await one.check(view(), { cost: 3 })).toMatchObject({
      allowed: false,
      remaining: 2,
      resetAt: NOW + 48,
    })
    clock.advance(6)
    expect(await one.check(view(), { cost: 4 })).toMatchObject({
      allowed: false,
      remaining: 3,
      resetAt: NOW + 48,
    })
  })

  it('remaining shows everything that a burst leaves, and resetAt rounds up to whole seconds', async () => {
    expect(
      await world()
        .limiter(bucket('b', 100, 60, { burst: 120 } as Partial<Policy>))
        .check(view()),
    ).toMatchObject({
      limit: 100,
      remaining: 119,
      resetAt: NOW + 1,
    })
  })

  it('remaining shows a burst smaller than the limit', async () => {
    const limiter = world().limiter(bucket('b', 600, 60, { burst: 10 } as Partial<Policy>))
    expect((await times(11, limiter)).map(({ allowed, remaining }) => [allowed, remaining]).slice(8)).toEqual(
      [
        [true, 1],
        [true, 0],
        [false, 0],
      ],
    )
  })
})
