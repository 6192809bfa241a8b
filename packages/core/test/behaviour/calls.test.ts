import { describe, expect, it } from 'vitest'

import {
  type CheckOptions,
  type Identity,
  llmBudget,
  PenaltyManager,
  PolicyRegistry,
  QuotaManager,
} from '../../src/index.ts'
import { by, mistake, rejection, times, view, world } from '../world.ts'

const policy = { name: 'p', limit: 5, window: 60 }
const quota = { name: 'q', limit: 5, period: 'daily' } as const

describe('a call', () => {
  it('a call with an unknown option is rejected, and charges nothing', async () => {
    const limiter = world().limiter(policy)
    const wrong = { costs: 5 } as CheckOptions
    for (const call of [
      limiter.check(view(), wrong),
      limiter.consume('u', wrong),
      limiter.reserve(view(), wrong),
    ]) {
      const error = await rejection(call)
      expect([error.code, error.message]).toEqual([
        'HALT_E_UNKNOWN_FIELD',
        expect.stringContaining('Did you mean "cost"?'),
      ])
    }
    expect((await limiter.peek(view())).remaining).toBe(5)
  })

  it('a call that peeks rejects a cost', async () => {
    const limiter = world().limiter(policy)
    const wrong = { cost: 5 } as object
    for (const call of [
      limiter.peek(view(), wrong),
      limiter.peek('u', wrong),
      limiter.explain(view(), wrong),
    ])
      expect((await rejection(call)).code).toBe('HALT_E_UNKNOWN_FIELD')
  })

  it('a call with a value that is not an options object is rejected, by managers as well', async () => {
    const { limiter, store } = world()
    const [one, quotas, penalties] = [limiter(policy), new QuotaManager(store), new PenaltyManager({ store })]
    const five = 5 as never
    for (const call of [
      one.consume('u', five),
      one.check(view(), five),
      one.peek('u', [] as never),
      quotas.consumeQuota('u', quota, five),
      penalties.recordViolation('u', five),
    ])
      expect(await rejection(call)).toMatchObject({
        code: 'HALT_E_OPTION',
        fix: expect.stringMatching(/^Give an object/),
      })
    expect((await one.peek('u')).remaining).toBe(5)
  })

  it('a call of a manager with an unknown option is rejected', async () => {
    const { store } = world()
    const [quotas, penalties] = [new QuotaManager(store), new PenaltyManager({ store })]
    for (const call of [
      quotas.consumeQuota('u', quota, { costs: 5 } as object),
      quotas.checkQuota('u', quota, { costs: 5 } as object),
      penalties.recordViolation('u', { severty: 5 } as object),
      penalties.applyPenalty('u', { durations: 5 } as object),
    ])
      expect((await rejection(call)).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect((await quotas.checkQuota('u', quota)).quota.used).toBe(0)
  })

  it('a call treats undefined as absent, in costs by name as well', async () => {
    const limiter = world().limiter([policy, { ...policy, name: 'other' }])
    const options = {
      cost: { p: undefined, other: 3 },
      policy: undefined,
      ip: undefined,
      idempotencyKey: undefined,
    }
    const { verdicts } = await limiter.check(view(), options)
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([4, 2])
  })

  it('a call with an idempotency key that is not a string is rejected, by managers as well', async () => {
    const { limiter, store } = world()
    const wrong = { idempotencyKey: 5 as unknown as string }
    expect((await rejection(limiter(policy).check(view(), wrong))).code).toBe('HALT_E_OPTION')
    expect((await rejection(new QuotaManager(store).consumeQuota('u', quota, wrong))).code).toBe(
      'HALT_E_OPTION',
    )
  })

  it('a policy that counts requests is charged one request, unless the cost names the policy', async () => {
    const limiter = world().limiter([
      { ...policy, counts: 'requests' },
      { ...policy, name: 'flight', window: undefined, algorithm: 'concurrency', ttl: 60 },
      { ...policy, name: 'units', limit: 100, counts: 'cost' },
    ] as never)
    const decision = await limiter.check(view(), { cost: 30 })
    expect(decision.verdicts.map(({ remaining }) => remaining)).toEqual([4, 4, 70])
    await limiter.settle(decision, 10)
    const named = await limiter.check(view(), { cost: { p: 2 } })
    expect(named.verdicts.map(({ remaining }) => remaining)).toEqual([2, 3, 89])
    expect(limiter.chargesOf(named)).toEqual(
      new Map([
        ['p', 2],
        ['flight', 1],
        ['units', 1],
      ]),
    )
  })
})

describe('an identity', () => {
  it('an object is an identity if its user is a string, and a request if its user is an object', async () => {
    const limiter = world().limiter({ ...policy, keyStrategy: 'user' })
    const request = { user: { id: 42 } }
    await times(2, limiter, by(42))
    for (const asked of [await limiter.peek(request), (await limiter.explain(request)).decision])
      expect(asked).toMatchObject({ key: 'user:42', remaining: 3 })
    expect((await limiter.reserve(request)).decision.remaining).toBe(2)
    expect((await limiter.peek({ user: '42', ip: undefined } as unknown as Identity)).remaining).toBe(2)
  })

  it('an identity of two kinds that are not a composite is refused', async () => {
    const error = await rejection(
      world()
        .limiter(policy)
        .consume({ user: 'u', custom: 'c' } as unknown as Identity),
    )
    expect([error.code, error.message]).toEqual([
      'HALT_E_IDENTITY',
      expect.stringContaining('user and custom'),
    ])
  })
})

describe('a value that is not an identity', () => {
  it.each([
    [42, 'The identity is 42.'],
    [null, 'The identity is null.'],
    [{}, 'The identity is an object without an id.'],
    [view(), 'The identity is a request.'],
  ])('an error shows the value that is not an identity: %o', async (value, message) => {
    const error = await rejection(
      world()
        .limiter(policy)
        .consume(value as never),
    )
    expect([error.code, error.message]).toEqual(['HALT_E_IDENTITY', expect.stringContaining(message)])
  })
})

describe('a constructor without options, or with senseless ones', () => {
  it.each([
    [() => new PenaltyManager(undefined as never), 'HALT_E_STORE_OPTION'],
    [() => new PenaltyManager({ store: world().store, ipv6Prefix: 300 }), 'HALT_E_OPTION'],
    [() => new QuotaManager(world().store, { ipv6Prefix: 300 }), 'HALT_E_OPTION'],
    [() => llmBudget(undefined as never), 'HALT_E_POLICY'],
    [() => new PolicyRegistry({ ...policy } as never), 'HALT_E_POLICY'],
    [() => new PolicyRegistry(null as never), 'HALT_E_POLICY'],
  ])('a constructor without options, or with senseless ones, throws an error with a code', (make, code) => {
    expect(mistake(make).code).toBe(code)
  })
})

describe('a timeout that is too long for a timer', () => {
  it('a timeout that is too long for a timer is shortened to the longest timer', async () => {
    const { limiter, codes } = world()
    const keyExtractor = async (): Promise<string> => {
      await new Promise(resolve => setTimeout(resolve, 20))
      return 'k'
    }
    const patient = limiter({ ...policy, keyExtractor }, { callbackTimeout: '30d', storeTimeout: '30d' })
    expect(await patient.check(view())).toMatchObject({ key: 'custom:k', degraded: false })
    expect(codes()).toEqual([])
  })
})
