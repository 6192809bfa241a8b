import { describe, expect, it } from 'vitest'

import type { Decision, Policy } from '../../src/index.ts'
import { by, rejection, view, world } from '../world.ts'

const budget: Policy = { name: 'tokens', limit: 100, window: 60 }

/** The facts of a decision that tell what was granted. */
function granted({ allowed, cost, remaining, reason }: Decision): unknown[] {
  return [allowed, cost, remaining, reason]
}

describe('least', () => {
  for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window'] as const)
    it(`least grants the rest, and a rest below it is refused: ${algorithm}`, async () => {
      const own = world().limiter({ ...budget, algorithm })
      const ask = async (cost: number, least: number): Promise<unknown[]> =>
        granted(await own.consume('s', { cost, least }))
      expect(await ask(70, 50)).toEqual([true, 70, 30, 'ok'])
      expect(await ask(70, 31)).toEqual([false, 70, 30, 'limited'])
      expect(await ask(70, 30)).toEqual([true, 30, 0, 'ok'])
      expect(await ask(1, 1)).toEqual([false, 1, 0, 'limited'])
    })

  it('a refusal tells the wait for the least, not for the whole cost', async () => {
    const own = world().limiter(budget)
    await own.consume('s', { cost: 100 })
    expect((await own.consume('s', { cost: 100, least: 10 })).retryAfterMs).toBe(6000)
  })

  it('least lets a cost above the capacity pass in part', async () => {
    const own = world().limiter(budget)
    expect(granted(await own.consume('s', { cost: 1000, least: 1 }))).toEqual([true, 100, 0, 'ok'])
  })

  it('least charges every policy that takes the cost for the same units, and the others their own', async () => {
    const own = world().limiter([
      { name: 'requests', limit: 10, window: 60, counts: 'requests' },
      { name: 'minute', limit: 100, window: 60 },
      { name: 'hour', limit: 60, window: 3600 },
    ])
    const decision = await own.consume('s', { cost: 80, least: 10 })
    expect([...own.chargesOf(decision)]).toEqual([
      ['requests', 1],
      ['minute', 60],
      ['hour', 60],
    ])
  })

  it('least by name applies to the named policies', async () => {
    const own = world().limiter([
      { name: 'requests', limit: 10, window: 60 },
      { name: 'tokens', limit: 50, window: 60 },
    ])
    const decision = await own.consume('s', { cost: { tokens: 80 }, least: { tokens: 20 } })
    expect([...own.chargesOf(decision)]).toEqual([
      ['requests', 1],
      ['tokens', 50],
    ])
  })

  it('a call with least is settled and refunded by the units that were granted', async () => {
    const own = world().limiter(budget)
    await own.consume('s', { cost: 70 })
    const { decision, settle } = await own.reserve('s', { cost: 100, least: 1 })
    expect(decision.cost).toBe(30)
    await settle(10)
    expect((await own.peek('s')).remaining).toBe(20)
    const all = await own.reserve('s', { cost: 100, least: 1 })
    await all.cancel()
    expect((await own.peek('s')).remaining).toBe(20)
  })

  it('a shadow policy that has less left does not reduce what least grants, and is charged nothing', async () => {
    const own = world().limiter([budget, { name: 'trial', limit: 40, window: 60, mode: 'shadow' }])
    const decision = await own.consume('s', { cost: 100, least: 50 })
    expect([...own.chargesOf(decision)]).toEqual([['tokens', 100]])
    expect(decision.verdicts[1]).toMatchObject({ policy: 'trial', allowed: false })
    expect((await own.peek('s')).verdicts[1]).toMatchObject({ policy: 'trial', remaining: 40 })
  })

  it('a shadow policy that has enough left is charged for the units that least grants', async () => {
    const own = world().limiter([budget, { name: 'trial', limit: 400, window: 60, mode: 'shadow' }])
    await own.consume('s', { cost: 70 })
    const decision = await own.consume('s', { cost: 100, least: 20 })
    expect([...own.chargesOf(decision)]).toEqual([
      ['tokens', 30],
      ['trial', 30],
    ])
    expect((await own.peek('s')).verdicts[1]).toMatchObject({ policy: 'trial', remaining: 300 })
  })

  for (const least of [0, -1, Number.NaN, Infinity, '5', null, [1], 51, { tokens: 0 }])
    it(`a least of ${JSON.stringify(least)} of a cost of 50 rejects as a mistake`, async () => {
      const own = world().limiter(budget)
      const { code } = await rejection(own.consume('s', { cost: 50, least: least as never }))
      expect(code).toBe('HALT_E_LEAST')
    })
})

describe('headroom', () => {
  const reserve = { ...budget, limit: 10, headroom: 0.5 } as const

  for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window'] as const)
    it(`headroom leaves its share to more important requests on the same counter: ${algorithm}`, async () => {
      const own = world().limiter({ ...reserve, algorithm })
      const important = { ...reserve, algorithm, headroom: 0 }
      for (let i = 0; i < 5; i++) expect((await own.consume('s')).allowed).toBe(true)
      expect(await own.consume('s')).toMatchObject({ allowed: false, reason: 'reserved', remaining: 0 })
      for (let i = 0; i < 5; i++) expect((await own.consume('s', { policy: important })).allowed).toBe(true)
      expect(await own.consume('s', { policy: important })).toMatchObject({ reason: 'limited' })
    })

  it('a refusal for headroom tells the exact wait', async () => {
    const { clock, limiter } = world()
    const own = limiter(reserve)
    for (let i = 0; i < 5; i++) await own.consume('s')
    const { retryAfterMs } = await own.consume('s')
    expect(retryAfterMs).toBe(6000)
    clock.advance('5999ms')
    expect((await own.consume('s')).allowed).toBe(false)
    clock.advance('1ms')
    expect((await own.consume('s')).allowed).toBe(true)
  })

  it('headroom works on requests in flight', async () => {
    const own = world().limiter({
      name: 'calls',
      limit: 4,
      algorithm: 'concurrency',
      ttl: 60,
      headroom: 0.25,
    })
    for (let i = 0; i < 3; i++) expect((await own.consume('s')).allowed).toBe(true)
    expect(await own.consume('s')).toMatchObject({ allowed: false, reason: 'reserved' })
  })

  it('headroom is asked of each request, and leaves half where the function fails, with one warning', async () => {
    const { limiter, codes } = world()
    const own = limiter({
      ...reserve,
      keyStrategy: 'shared',
      headroom: request => {
        const { share } = request as { share?: number }
        if (share === undefined) throw new Error('no share')
        return share
      },
    })
    const ask = async (share?: unknown): Promise<boolean> =>
      (await own.check(view({ request: { share } }))).allowed
    for (let i = 0; i < 5; i++) expect(await ask(0.1)).toBe(true)
    expect(await ask(undefined)).toBe(false)
    expect(await ask(undefined)).toBe(false)
    expect(await ask('much')).toBe(false)
    expect(await ask(0.5)).toBe(false)
    for (let i = 0; i < 4; i++) expect(await ask(0.1)).toBe(true)
    expect(await ask(0.1)).toBe(false)
    expect(await ask(0)).toBe(true)
    expect(codes().filter(code => code === 'HALT_W_CALLBACK')).toHaveLength(1)
  })

  it('headroom of the whole capacity refuses for ever', async () => {
    const own = world().limiter({ ...reserve, headroom: () => 1 })
    expect(await own.check(view())).toMatchObject({ reason: 'reserved', retryAfter: Infinity })
  })

  it('a refusal for headroom starts no cool-down, because others still have room', async () => {
    const own = world().limiter({ ...reserve, blockDuration: '1h' })
    for (let i = 0; i < 6; i++) await own.consume('s')
    expect(
      (await own.consume('s', { policy: { ...reserve, blockDuration: '1h', headroom: 0 } })).allowed,
    ).toBe(true)
  })

  it('headroom shrinks with the capacity under a penalty', async () => {
    const penalty = {
      threshold: 1,
      duration: 600,
      multiplier: 0.5,
      decayRate: 0,
      recordOn: 'limited',
    } as const
    const own = world().limiter({ ...reserve, keyStrategy: 'user' }, { penalty })
    await own.check(by('42'), { cost: 6 })
    for (let i = 0; i < 2; i++) expect((await own.check(by('42'))).allowed).toBe(true)
    expect(await own.check(by('42'))).toMatchObject({ allowed: false, limit: 5 })
  })

  it('headroom takes shares without a rounding error', async () => {
    const own = world().limiter({ ...budget, headroom: 0.07 })
    expect((await own.consume('s', { cost: 93 })).allowed).toBe(true)
  })
})
