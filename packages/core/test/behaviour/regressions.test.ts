// The defects found in the original, one test for each that no other test covers more directly. Numbers as in
// its analysis: 1.x wrong decisions, 2.x identity, 3.x stores, 5.x memory.
import { describe, expect, it } from 'vitest'

import { presets, RateLimiter } from '../../src/index.ts'
import type { Group, Evaluation } from '../../src/store/index.ts'
import { decideOver } from '../../src/store/key-value.ts'
import { admitted, mistake, rejection, START, times, view, world } from '../world.ts'

describe('wrong decisions of the original', () => {
  it.each([1, 10, 100])(
    '1.1 hammering %d times per second gains nothing: 5 per minute admit 59 in ten minutes',
    async perSecond => {
      const { clock, limiter } = world()
      const auth = limiter({ ...presets.AUTH_ENDPOINTS, blockDuration: undefined })
      let passed = 0
      for (let i = 0; i < 600 * Math.min(perSecond, 10); i++) {
        // A hundred requests per second come in bursts, which makes no difference to the arithmetic.
        passed += await admitted(Math.max(1, perSecond / 10), auth)
        clock.advance(1 / Math.min(perSecond, 10))
      }
      expect(passed).toBe(59)
    },
  )

  it('1.1 exactly the limit passes of 500 concurrent requests', async () => {
    const limiter = world().limiter({ name: 'p', limit: 50, window: 60 })
    const decisions = await Promise.all(Array.from({ length: 500 }, () => limiter.check(view())))
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(50)
  })

  it('1.3 a sliding window’s retryAfter is the true wait', async () => {
    const { clock, limiter } = world()
    const one = limiter({ name: 'p', limit: 10, window: 60, algorithm: 'sliding-window' })
    await times(10, one)
    const { retryAfter } = await one.check(view())
    expect(retryAfter).toBe(66)
    clock.advance(retryAfter)
    expect((await one.check(view())).allowed).toBe(true)
  })

  it('1.4 a sliding window of 100 does not admit 200', async () => {
    const { clock, limiter } = world()
    const one = limiter({ name: 'p', limit: 100, window: 60, algorithm: 'sliding-window' })
    let passed = await admitted(150, one)
    for (let i = 0; i < 540; i++) {
      clock.advance('100ms')
      passed += await admitted(2, one)
    }
    expect(passed).toBe(100)
  })

  it('1.5 resetAt describes the bucket after this request', async () => {
    const first = await world().limiter({ name: 'p', limit: 60, window: 60 }).check(view(), { cost: 60 })
    expect(first.resetAt).toBe(START / 1000 + 60)
  })

  it('1.7 the limit shown is the limit, whatever the window', async () => {
    for (let window = 1; window <= 200; window++) {
      for (const limit of [1, 3, 7, 100]) {
        expect((await world().limiter({ name: 'p', limit, window }).check(view())).limit).toBe(limit)
      }
    }
  })

  it('1.8 a drained bucket is not full again before its refill', async () => {
    const { clock, limiter } = world()
    const one = limiter({ name: 'p', limit: 10, window: 60, burst: 1000 })
    await one.check(view(), { cost: 1000 })
    clock.advance(120)
    expect(await admitted(100, one)).toBe(20)
  })

  it('1.9 a clock that steps back neither locks a client out nor frees one', async () => {
    let now = START
    const { store } = world()
    const stepping = {
      evaluate: (group: Group): Evaluation => decideAt(now, group),
      forget: () => store.forget([]),
    }
    const values = new Map<string, string>()
    function decideAt(ms: number, group: Group): Evaluation {
      const { evaluation, changes } = decideOver(group, values, ms * 1000)
      for (const { key, value } of changes) {
        if (value === undefined) values.delete(key)
        else values.set(key, value)
      }
      return evaluation
    }
    const one = new RateLimiter({ store: stepping, policy: { name: 'p', limit: 60, window: 60 } })
    await one.check(view())
    now -= 3_600_000
    expect(await one.check(view())).toMatchObject({ allowed: true, remaining: 58 })
    expect(await admitted(100, one)).toBe(58)
    expect((await one.check(view())).retryAfter).toBe(1)
  })

  it('1.10 a cost cannot refill a bucket or open a window', async () => {
    for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window'] as const) {
      const one = world().limiter({ name: 'p', limit: 5, window: 60, algorithm })
      await times(5, one)
      for (const cost of [-1000, -1, Number.NaN]) {
        expect((await rejection(one.check(view(), { cost }))).code).toBe('HALT_E_COST')
      }
      expect((await one.check(view(), { cost: 0 })).allowed).toBe(true)
      expect(await admitted(5, one)).toBe(0)
      for (let i = 0; i < 20; i++) expect((await one.check(view(), { cost: 0.5 })).allowed).toBe(false)
    }
  })

  it('1.11 a bad policy is found at the start', () => {
    expect(mistake(() => world().limiter({ name: '', limit: 1, window: 1 })).code).toBe('HALT_E_POLICY_NAME')
    expect(mistake(() => world().limiter({ name: 'p', limit: 1, window: 1, blockDuration: -1 })).code).toBe(
      'HALT_E_BLOCK_DURATION',
    )
  })
})
