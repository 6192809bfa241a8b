import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Cost, Policy } from '../../src/index.ts'
import { admitted, rejection, times, view, world } from '../world.ts'

const requests: Policy = { name: 'requests', limit: 10, window: 60, algorithm: 'fixed-window' }
const tokens: Policy = { name: 'tokens', limit: 1000, window: 60, algorithm: 'fixed-window', cost: 5 }
/** The units left of each policy after one request of this cost. */
async function left(cost: Cost | undefined): Promise<number[]> {
  const { verdicts } = await world().limiter([requests, tokens]).check(view(), { cost })
  return verdicts.map(({ remaining }) => remaining)
}

describe('a cost', () => {
  it.each([
    ['nothing: each policy its own', undefined, [9, 995]],
    ['a number: it replaces all', 3, [7, 997]],
    ['a name: only that one', { tokens: 200 }, [9, 800]],
    ['both names', { requests: 2, tokens: 200 }, [8, 800]],
    ['0: it charges nothing', 0, [10, 1000]],
    ['0 by name', { requests: 0 }, [10, 995]],
    ['a fraction: it rounds up', 1.2, [8, 998]],
    ['a fraction by name', { tokens: 0.001 }, [9, 999]],
    ['a name that no policy has: each its own', { other: 7 }, [9, 995]],
    ['nothing by name', {}, [9, 995]],
  ])('a cost can be %s', async (_what, cost, expected) => {
    expect(await left(cost as Cost)).toEqual(expected)
  })

  it('a cost uses only its own names, and none of its prototype', async () => {
    expect(await left(Object.create({ tokens: 500 }) as Cost)).toEqual([9, 995])
    const named = { name: '__proto__', limit: 10, window: 60 }
    const cost = JSON.parse('{"__proto__": 4}') as Cost
    expect((await world().limiter(named).check(view(), { cost })).remaining).toBe(6)
  })

  it('a cost must be given when a decision is settled', async () => {
    const limiter = world().limiter(requests)
    const decision = await limiter.check(view())
    expect((await rejection(limiter.settle(decision, undefined as never))).code).toBe('HALT_E_COST')
    await limiter.settle(decision, 0)
    expect((await limiter.peek(view())).remaining).toBe(decision.remaining + decision.cost)
  })

  it.each([Number.NaN, -1, -0.5, Infinity, -Infinity, '1', '', null, true, [], [1], new Map(), () => 1, 1n])(
    'a cost of %o is refused, and nothing is charged',
    async cost => {
      const limiter = world().limiter(requests)
      expect((await rejection(limiter.check(view(), { cost: cost as Cost }))).code).toBe('HALT_E_COST')
      expect((await rejection(limiter.consume('job', { cost: cost as Cost }))).code).toBe('HALT_E_COST')
      expect((await rejection(limiter.reserve(view(), { cost: cost as Cost }))).code).toBe('HALT_E_COST')
      const decision = await limiter.check(view())
      expect((await rejection(limiter.settle(decision, cost as Cost))).code).toBe('HALT_E_COST')
      if (typeof cost !== 'object') {
        const named = { requests: cost } as Cost
        expect((await rejection(limiter.check(view(), { cost: named }))).code).toBe('HALT_E_COST')
      }
      expect((await limiter.peek(view())).remaining).toBe(9)
    },
  )

  it('a cost is refused for every number that is not a number of units, and only for those', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double(), async cost => {
        const limiter = world().limiter({ ...requests, limit: 2 ** 31 })
        const outcome = await limiter.check(view(), { cost }).then(
          ({ reason }) => reason,
          (error: { code: string }) => error.code,
        )
        const isUnits = cost >= 0 && Number.isFinite(cost)
        expect(outcome).toBe(isUnits ? (cost > 2 ** 31 ? 'cost-exceeds-limit' : 'ok') : 'HALT_E_COST')
      }),
    )
  })
})

describe('a cost above the capacity of a policy', () => {
  const policy: Policy = { name: 'p', limit: 10, burst: 15, window: 60, blockDuration: 300 }

  it('a cost above the capacity is always refused, charges nothing and starts no cool-down', async () => {
    const limiter = world().limiter(policy)
    const decision = await limiter.check(view(), { cost: 16 })
    expect(decision).toMatchObject({
      allowed: false,
      reason: 'cost-exceeds-limit',
      retryAfter: Infinity,
      cost: 16,
      remaining: 15,
      limit: 10,
    })
    expect(await limiter.check(view(), { cost: 15 })).toMatchObject({ allowed: true, remaining: 0 })
  })

  it.each(['fixed-window', 'sliding-window'] as const)('a %s refuses too large a cost', async algorithm => {
    const limiter = world().limiter({ name: 'p', limit: 10, window: 60, algorithm, blockDuration: 300 })
    expect(await limiter.check(view(), { cost: 11 })).toMatchObject({ allowed: false, retryAfter: Infinity })
    expect(await limiter.check(view(), { cost: 10 })).toMatchObject({ allowed: true })
  })

  it('a quota refuses a cost above its limit with the reason cost-exceeds-limit', async () => {
    const limiter = world(Date.now()).limiter({ name: 'q', limit: 10, period: 'daily', keyStrategy: 'ip' })
    expect(await limiter.check(view(), { cost: 11 })).toMatchObject({
      allowed: false,
      reason: 'cost-exceeds-limit',
      retryAfter: Infinity,
    })
  })

  it('a cost above the capacity makes the refusing policy binding over one that would pass later', async () => {
    const limiter = world().limiter([requests, { name: 'small', limit: 3, window: 60 }])
    await limiter.check(view(), { cost: { requests: 10, small: 1 } })
    const decision = await limiter.check(view(), { cost: 5 })
    expect(decision).toMatchObject({ policy: 'small', reason: 'cost-exceeds-limit', retryAfter: Infinity })
    expect(decision.verdicts.map(({ reason, retryAfter }) => [reason, retryAfter])).toEqual([
      ['limited', 60],
      ['cost-exceeds-limit', Infinity],
    ])
  })
})

it('a cost below zero is refused, and one of 0 or 0.5 opens no used-up policy', async () => {
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
