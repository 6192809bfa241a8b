import { afterEach, describe, expect, it, vi } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import type { Cost, Policy, RequestView } from '../../src/index.ts'
import { guard, type GuardOptions } from '../../src/http/index.ts'
import { view, world } from '../world.ts'

const policy: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }

/** The units left after one request through a guard. */
async function left(options: GuardOptions, request: RequestView = view()): Promise<number> {
  const limiter = world().limiter(policy)
  await guard(limiter, options).enter(request)
  return (await limiter.peek(view())).remaining
}

function hostile(): never {
  throw new Error('hostile')
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

afterEach(() => void vi.useRealTimers())

describe('a cost', () => {
  it.each([
    ['a number', 3, 7],
    ['by name', { p: 4 }, 6],
    ['a function', () => 2, 8],
    ['a function of the request', (request: unknown) => (request as { units: number }).units, 5],
    ['an async function', async () => 2.5, 7],
    ['a function that gives it by name', () => ({ p: 9 }), 1],
    ['0', 0, 10],
  ] as [string, GuardOptions['cost'], number][])('a cost may be %s', async (_what, cost, expected) => {
    expect(await left({ cost }, view({ request: { units: 5 } }))).toBe(expected)
  })

  it('a fixed cost above the limit is warned of at start', async () => {
    const { limiter: build, codes } = world()
    const limiter = build([policy, { ...policy, name: 'dear', limit: 100 }])
    guard(limiter, { cost: { dear: 100, p: 10 } })
    expect(codes()).toEqual([])
    guard(limiter, { cost: 11 })
    expect(codes()).toEqual(['HALT_W_COST_ABOVE_LIMIT'])
    expect(await guard(limiter, { cost: 11 }).enter(view())).toMatchObject({ pass: false, status: 429 })
  })

  const broken: [string, unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no body')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no body'))],
    ['gives nothing', () => undefined],
    ['gives NaN', () => Number.NaN],
    ['gives a negative', () => -5],
    ['gives a text', () => '5'],
    ['gives NaN by name', async () => ({ p: Number.NaN })],
    ['gives a name that no policy has', () => ({ api: 0 })],
    ['gives such a name later', async () => ({ api: 0 })],
    ['gives such a name beside a policy', () => ({ p: 0, api: 0 })],
    ['gives no name', () => ({})],
    ['gives a name by its prototype', () => Object.create({ p: 0 }) as unknown],
    ['gives what a client calls a prototype', () => JSON.parse('{"__proto__":{"p":0}}') as unknown],
    ['gives a list', () => [0]],
    ['gives a number in an object', () => new Number(0)],
    ['gives a text by name', () => ({ p: '0' })],
    ['gives a list by name', () => ({ p: [] })],
    ['gives an object by name', () => ({ p: { valueOf: () => 0 } })],
    ['gives a negative by name', () => ({ p: -1 })],
    ['gives an endless number by name', () => ({ p: Infinity })],
    ['gives a getter that throws', () => Object.defineProperty({}, 'p', { enumerable: true, get: hostile })],
    ['gives a proxy that throws', () => new Proxy({}, { ownKeys: hostile })],
    ['gives a revoked proxy', revoked],
  ]
  it.each(broken)(
    'a cost function that %s takes the whole limit, so that breaking it is not cheap',
    async (_how, cost) => {
      expect(await left({ cost: cost as () => Cost })).toBe(0)
      expect(await left({ cost: cost as () => Cost, costOnError: 3 })).toBe(7)
    },
  )

  it('a cost by name is read once, so that a later change has no effect', async () => {
    let looks = 0
    const cost = Object.defineProperty({}, 'p', { enumerable: true, get: () => (looks++ === 0 ? 4 : 0) })
    expect(await left({ cost: () => cost as Cost })).toBe(6)
  })

  it('a cost that is too large to count is refused', async () => {
    const limiter = world().limiter(policy)
    for (const huge of [1e308, { p: 2 ** 1023 }]) {
      const outcome = await guard(limiter, { cost: () => huge }).enter(view())
      expect(outcome.decision).toMatchObject({ allowed: false, reason: 'cost-exceeds-limit' })
    }
  })

  it('a cost may name any policy of the limiter, and must name a deciding one with a resolver', async () => {
    const { limiter, codes } = world()
    const one = limiter([policy, { ...policy, name: 'tokens' }])
    const shared = { cost: () => ({ p: 2, tokens: 3 }) }
    await guard(one, shared).enter(view())
    await guard(one, { ...shared, policy: { ...policy, name: 'q' } }).enter(view())
    expect((await one.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([8, 7])
    const resolved = limiter(() => ({ ...policy, name: 'free' }))
    await guard(resolved, { cost: () => ({ free: 2, pro: 1 }) }).enter(view())
    expect((await resolved.peek(view())).remaining).toBe(8)
    await guard(resolved, { cost: () => ({ api: 0 }), costOnError: 5 }).enter(view())
    expect((await resolved.peek(view())).remaining).toBe(3)
    expect(codes().filter(code => code === 'HALT_W_COST_NAMES').length).toBe(2)
  })

  it('a failed cost function warns once, with the consequence', async () => {
    const { limiter, warnings } = world()
    const entering = guard(limiter(policy), {
      cost: () => {
        throw new Error('no body')
      },
    })
    for (let i = 0; i < 3; i++) await entering.enter(view())
    expect(warnings.map(({ code: found }) => found)).toEqual(['HALT_W_CALLBACK'])
    expect(warnings[0]?.message).toContain('no body')
    expect(warnings[0]?.fix).toContain('costOnError')
  })

  it('a failed cost function charges no whole quota, and takes one place in flight', async () => {
    const { limiter } = world(Date.now())
    const quota = {
      name: 'q',
      limit: 1000,
      period: 'yearly',
      anchor: aMinuteAgo(),
      keyStrategy: 'ip',
    } as const
    const flight: Policy = { name: 'f', limit: 5, algorithm: 'concurrency', ttl: 60 }
    const one = limiter([policy, quota, flight])
    await guard(one, { cost: () => Number.NaN }).enter(view())
    expect((await one.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([0, 999, 4])
  })

  it('a cost function that never settles is abandoned after callbackTimeout', async () => {
    vi.useFakeTimers()
    const limiter = world().limiter(policy, { callbackTimeout: '50ms' })
    const entered = guard(limiter, { cost: () => new Promise<number>(() => {}) }).enter(view())
    await vi.advanceTimersByTimeAsync(51)
    expect((await entered).decision?.cost).toBe(10)
  })
})
