import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import {
  type Policy,
  type HaltWarning,
  QuotaManager,
  RateLimiter,
  type RateLimiterOptions,
} from '../../src/index.ts'
import { casStore, type Group, type Store, txStore, type Evaluation } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { versioned } from '../store/versioned.ts'
import { histories, penalties, somePolicies } from '../histories.ts'
import { START, times, view } from '../world.ts'

const policy = { name: 'p', limit: 2, window: 60 } as const
const whole = (group: Group): Evaluation => new ReferenceStore(Date.now).evaluate(group)

/** A limiter on a store whose answers a test gives. */
function answering(
  answer: (group: Group) => unknown,
  more: Partial<Store> = {},
  options: Partial<RateLimiterOptions> = {},
): { limiter: RateLimiter; store: Store; codes: () => string[]; onStoreError: ReturnType<typeof vi.fn> } {
  const store = { evaluate: answer as Store['evaluate'], forget: () => 0, ...more }
  const warnings: HaltWarning[] = []
  const onStoreError = vi.fn<(error: unknown, detail: object) => void>()
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  const limiter = new RateLimiter({ store, policy, warn, telemetry: { onStoreError }, ...options })
  return { limiter, store, codes: () => warnings.map(({ code }) => code), onStoreError }
}

const flaws: [string, (evaluation: Evaluation) => unknown][] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['a text', () => 'OK'],
  ['a list', () => []],
  ['a wrapped verdict', evaluation => ({ result: evaluation })],
  ['no instant', evaluation => ({ ...evaluation, now: Number.NaN })],
  ['an instant that never comes', evaluation => ({ ...evaluation, now: Number.POSITIVE_INFINITY })],
  ['a negative instant', evaluation => ({ ...evaluation, now: -1 })],
  ['allowed as a number', evaluation => ({ ...evaluation, allowed: 1 })],
  ['no word of a repetition', evaluation => ({ ...evaluation, repeated: undefined })],
  ['no passes', evaluation => ({ ...evaluation, passes: [] })],
  ['passes as texts', evaluation => ({ ...evaluation, passes: ['true'] })],
  ['a refused demand in an allowed group', evaluation => ({ ...evaluation, passes: [false] })],
  ['no states', evaluation => ({ ...evaluation, states: undefined })],
  ['a state that is no number', evaluation => ({ ...evaluation, states: [[0, Number.NaN, 1, 1, 1]] })],
  ['a state that is cut', evaluation => ({ ...evaluation, states: [[0, 1]] })],
  ['amounts that are not those of the states', evaluation => ({ ...evaluation, amounts: [0] })],
  ['amounts as texts', evaluation => ({ ...evaluation, amounts: ['1'] })],
  ['fewer units than the least', evaluation => ({ ...evaluation, grants: [0] })],
  ['more units than the cost', evaluation => ({ ...evaluation, grants: [2] })],
  ['no penalty', evaluation => ({ ...evaluation, penalty: undefined })],
]

describe('an invalid evaluation', () => {
  it.each(flaws)('an invalid evaluation is rejected, synchronous or not: %s', async (_name, spoil) => {
    for (const answer of [
      (group: Group) => spoil(whole(group)),
      async (group: Group) => spoil(whole(group)),
    ]) {
      const { limiter, codes, onStoreError } = answering(answer)
      const decisions = await times(4, limiter)
      // The fallback decides by the limit, because onStoreError is "local".
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, false])
      expect(decisions[0]).toMatchObject({ degraded: 'local' })
      expect(codes()).toEqual(['HALT_W_STORE_SCRIPT'])
      expect(onStoreError.mock.calls[0]).toMatchObject([
        { code: 'HALT_E_STORE_SCRIPT' },
        { failure: 'script', store: 'custom' },
      ])
    }
  })

  it('an invalid evaluation refuses under a closed policy, and rejects the call of a quota manager', async () => {
    const { limiter, store } = answering(async () => ({ result: 1 }), {}, { onStoreError: 'closed' })
    expect(await limiter.check(view())).toMatchObject({ allowed: false, reason: 'store-error' })
    const quotas = new QuotaManager(store, { warn: () => {} })
    await expect(quotas.consumeQuota('ann', { name: 'q', limit: 1, period: 'daily' })).rejects.toMatchObject({
      code: 'HALT_E_STORE',
      cause: { code: 'HALT_E_STORE_SCRIPT' },
    })
  })

  it('a valid evaluation of a store is accepted, for any policies, penalties and histories', async () => {
    const beside: Policy[] = [
      { name: 'day', limit: 30, period: 'daily', keyStrategy: 'ip' },
      { name: 'calls', limit: 5, algorithm: 'concurrency', ttl: 60 },
      { name: 'pool', limit: 20, window: 1, keyStrategy: 'shared', fair: { by: 'ip' } },
      { name: 'rest', limit: 20, window: 1, headroom: 0.2, inFlight: 3 },
    ]
    let refusals = 0
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, penalties, fc.nat(4), async (some, history, penalty, at) => {
        let now = START
        const reference = new ReferenceStore(() => now)
        const policies = [...some, ...beside.slice(at, at + 1)]
        const { limiter, codes } = answering(
          group => reference.evaluate(group),
          {},
          { policy: policies, penalty },
        )
        for (const [i, { after, cost }] of history.entries()) {
          now += after / 1000
          const options = i % 3 === 0 && cost > 0 ? { cost, least: 1 } : { cost }
          const decision = i % 5 === 4 ? await limiter.peek(view()) : await limiter.check(view(), options)
          expect(decision.degraded).toBe(false)
          if (!decision.allowed) refusals++
        }
        expect(codes()).not.toContain('HALT_W_STORE_SCRIPT')
      }),
      { numRuns: 100 },
    )
    expect(refusals).toBeGreaterThan(100)
  })
})

describe('a bad answer of a store', () => {
  it.each([Number.NaN, 0, -4, 2.5, Number.POSITIVE_INFINITY, '4', null])(
    'a bad answer of a store is not used as the number of processes: %s',
    async count => {
      const away = (): never => {
        throw new Error('away')
      }
      const { limiter, codes } = answering(away, { instances: () => count as number })
      const decisions = await times(3, limiter)
      expect(decisions.map(({ allowed, limit }) => [allowed, limit])).toEqual([
        [true, 2],
        [true, 2],
        [false, 2],
      ])
      expect(codes()).toContain('HALT_W_STORE_SCRIPT')
    },
  )

  it('a bad answer of a store is replaced by the last good number of processes', async () => {
    let count: number | undefined = 2
    const away = (): never => {
      throw new Error('away')
    }
    const { limiter } = answering(away, {
      instances: () => {
        if (count === undefined) throw new Error('unknown')
        return count
      },
    })
    count = undefined
    expect((await times(2, limiter)).map(({ allowed }) => allowed)).toEqual([true, false])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '2026'])(
    'a bad answer of a store is not used as the time for calendars: %s',
    async time => {
      const reference = new ReferenceStore(Date.now)
      const { limiter } = answering(
        group => reference.evaluate(group),
        { clock: () => time as number },
        { policy: { name: 'q', limit: 5, period: 'daily', keyStrategy: 'ip' } },
      )
      const before = Date.now()
      const { allowed, resetAt } = await limiter.check(view())
      expect([allowed, resetAt % 86_400]).toEqual([true, 0])
      expect(resetAt).toBeGreaterThan(before / 1000)
      const exempt = await limiter.check(view({ path: '/health' }))
      expect(exempt.resetAt).toBeGreaterThan(before / 1000 - 60)
    },
  )
})

describe('a database behind a store', () => {
  it('a database that returns a value which is not a counter is rejected, and the value is not overwritten', async () => {
    const backend = versioned()
    const swap = vi.fn<typeof backend.swap>(backend.swap)
    const store = casStore({
      ...backend,
      swap,
      read: async keys => keys.map(() => ({ value: 'OK', version: 1 as never })),
    })
    const { limiter, codes } = answering(group => store.evaluate(group))
    expect(await limiter.check(view())).toMatchObject({ degraded: 'local' })
    expect([codes(), swap.mock.calls]).toEqual([['HALT_W_STORE_SCRIPT'], []])
  })

  it('a database whose clock returns an invalid time is rejected, and nothing is written', async () => {
    const written: unknown[] = []
    const store = txStore({
      transaction: work =>
        work({
          lock: async () => new Map(),
          write: async changes => void written.push(...changes),
          now: async () => Number.NaN,
        }),
      remove: async () => 0,
    })
    const { limiter, codes } = answering(group => store.evaluate(group))
    expect(await limiter.check(view())).toMatchObject({ degraded: 'local' })
    expect([codes(), written]).toEqual([['HALT_W_STORE_SCRIPT'], []])
    const cas = casStore(versioned(), { clock: () => Number.NaN })
    await expect(cas.evaluate({ demands: [] })).rejects.toMatchObject({ failure: 'script' })
  })
})
