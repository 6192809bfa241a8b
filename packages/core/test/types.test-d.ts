import { describe, expectTypeOf, it } from 'vitest'

import {
  Algorithm,
  type Policy,
  type ConcurrencyPolicy,
  definePolicy,
  HaltError,
  isLimited,
  type RatePolicy,
  silence,
  type Decision,
  getPlanPolicy,
  KeyStrategy,
  llmBudget,
  presets,
  type Quota,
  QuotaPeriod,
  RateLimiter,
  type RateLimiterOptions,
  type Store,
  usd,
} from '../src/index.ts'
import { ManualClock, ReferenceStore } from '../src/testing/index.ts'

interface AppRequest {
  readonly tenant: string
}

const store = new ReferenceStore(new ManualClock().now)

describe('the types', () => {
  it('a callback gets the framework’s own request', () => {
    const limiter = new RateLimiter<AppRequest>({
      store,
      policy: request => {
        expectTypeOf(request).toEqualTypeOf<AppRequest>()
        return { name: 'p', limit: 1, window: 1, keyExtractor: ({ tenant }) => tenant }
      },
      userId: ({ tenant }) => tenant,
      clientIp: ({ tenant }) => tenant,
    })
    expectTypeOf<AppRequest>().toExtend<Parameters<typeof limiter.check>[0]>()
    expectTypeOf(limiter.check({ tenant: 'a' })).resolves.toEqualTypeOf<Decision>()
    const extracting: Policy<AppRequest> = {
      name: 'p',
      limit: 1,
      window: 1,
      keyExtractor: async ({ tenant }) => tenant,
    }
    expectTypeOf(extracting.keyExtractor).parameter(0).toEqualTypeOf<AppRequest>()
  })

  it('a limiter finds the request that a keyExtractor reads beside presets and the budgets of a model', () => {
    const tenant = (request: AppRequest): string => request.tenant
    const day: Quota<AppRequest> = { name: 'day', limit: usd(50), period: 'daily', keyExtractor: tenant }
    const budgets = llmBudget({ rpm: 60, itpm: 90_000, otpm: 20_000 })
    const limiter = new RateLimiter({ store, policy: [day, presets.PUBLIC_API, ...budgets] })
    expectTypeOf(limiter).toEqualTypeOf<RateLimiter<AppRequest>>()
    const literal = { name: 'month', limit: 1, period: 'monthly', keyExtractor: tenant } as const
    expectTypeOf(new RateLimiter({ store, policy: [literal, ...budgets] })).toEqualTypeOf(limiter)
    const own = llmBudget({ rpm: 60, keyExtractor: tenant })
    expectTypeOf(new RateLimiter({ store, policy: own })).toEqualTypeOf(limiter)
    new RateLimiter<AppRequest>({ store, policy: llmBudget({ rpm: 60, keyExtractor: r => r.tenant }) })
  })

  it('every limiter accepts presets and plain policies', () => {
    const options: RateLimiterOptions<AppRequest> = {
      store,
      policy: [
        presets.PUBLIC_API,
        presets.QUOTA_FREE_DAILY,
        getPlanPolicy('pro'),
        definePolicy(presets.STRICT_API, { limit: 5 }),
      ],
      fallbackPolicy: presets.AUTH_ENDPOINTS,
      penalty: { ...presets.PENALTY_MODERATE, recordOn: 'limited' },
    }
    expectTypeOf(options).toExtend<RateLimiterOptions<AppRequest>>()
    expectTypeOf(presets.PUBLIC_API).toExtend<Policy<AppRequest>>()
    expectTypeOf(presets.PUBLIC_API).toExtend<Policy<{ other: 1 }>>()
    expectTypeOf(presets.QUOTA_FREE_DAILY).toExtend<Quota<AppRequest>>()
  })

  it('a name accepts its plain strings, and no other string', () => {
    expectTypeOf<'token-bucket'>().toExtend<Algorithm>()
    expectTypeOf(Algorithm.TOKEN_BUCKET).toEqualTypeOf<'token-bucket'>()
    expectTypeOf(KeyStrategy.API_KEY).toEqualTypeOf<'api-key'>()
    expectTypeOf(QuotaPeriod.MONTHLY).toEqualTypeOf<'monthly'>()
    expectTypeOf<'leaky-bucket'>().not.toExtend<Algorithm>()
  })

  it('the type of a policy refuses options that exclude each other', () => {
    // @ts-expect-error requests in flight have a ttl, not a window
    const flight: Policy = { name: 'p', limit: 1, algorithm: 'concurrency', window: 60 }
    // @ts-expect-error a policy has a window
    const without: Policy = { name: 'p', limit: 1 }
    // @ts-expect-error a window is not a Date
    const wrong: Policy = { name: 'p', limit: 1, window: new Date() }
    expectTypeOf([flight, without, wrong]).toEqualTypeOf<Policy[]>()
  })

  it('a policy is of one of three kinds, which its fields tell', () => {
    expectTypeOf<Policy<AppRequest>>().toEqualTypeOf<
      RatePolicy<AppRequest> | ConcurrencyPolicy<AppRequest> | Quota<AppRequest>
    >()
    const kindOf = (policy: Policy<AppRequest>): unknown => {
      if (policy.period !== undefined) return expectTypeOf(policy).toEqualTypeOf<Quota<AppRequest>>()
      if (policy.algorithm === 'concurrency')
        return expectTypeOf(policy).toEqualTypeOf<ConcurrencyPolicy<AppRequest>>()
      return expectTypeOf(policy).toEqualTypeOf<RatePolicy<AppRequest>>()
    }
    // @ts-expect-error a quota has no burst
    const bursting: Policy = { name: 'p', limit: 1, period: 'daily', burst: 2 }
    // @ts-expect-error a quota counts in one way
    const sliding: Policy = { name: 'p', limit: 1, period: 'daily', algorithm: 'sliding-window' }
    expectTypeOf([kindOf, bursting, sliding]).not.toBeAny()
  })

  it('a list of plans goes from its own file into a limiter without a cast', () => {
    const day: Quota<AppRequest> = { name: 'day', limit: 1, period: 'daily', keyExtractor: r => r.tenant }
    const plans: Record<string, Policy<AppRequest>[]> = {
      free: [presets.PUBLIC_API, day, { name: 'pool', limit: 1, algorithm: 'concurrency', ttl: 9 }],
      llm: [
        ...llmBudget({ rpm: 60 }),
        ...llmBudget({ tpm: 9, name: 'own', keyExtractor: (r: AppRequest) => r.tenant }),
      ],
    }
    const given: Store = store
    const planOf = (request: AppRequest): Policy<AppRequest>[] => plans[request.tenant] ?? []
    expectTypeOf(new RateLimiter({ store: given, policy: planOf })).toEqualTypeOf<RateLimiter<AppRequest>>()
    expectTypeOf(new RateLimiter({ store: given, policy: plans['free'] ?? [] })).toEqualTypeOf<
      RateLimiter<AppRequest>
    >()
  })

  it('definePolicy returns the kind of its base', () => {
    const rate: RatePolicy = definePolicy(presets.PUBLIC_API, { limit: 3 })
    const pool: ConcurrencyPolicy = definePolicy(
      { name: 'pool', limit: 1, algorithm: 'concurrency', ttl: '30s' },
      { ttl: '10s' },
    )
    const quota: Quota = definePolicy(presets.QUOTA_FREE_DAILY, { period: 'weekly' })
    const own = definePolicy(presets.PUBLIC_API, { keyExtractor: (request: AppRequest) => request.tenant })
    expectTypeOf(own).toEqualTypeOf<RatePolicy<AppRequest>>()
    expectTypeOf(definePolicy(own, { limit: 3 })).toEqualTypeOf<RatePolicy<AppRequest>>()
    expectTypeOf(definePolicy({ name: 'p', limit: 1, window: '1m' })).toExtend<Policy<AppRequest>>()
    // Whatever the kind is, its fields may change.
    const any = [rate, pool, quota][0] as Policy
    expectTypeOf(definePolicy(any, { limit: 3 })).toExtend<Policy>()
    expectTypeOf(definePolicy(any, { window: 3 })).toExtend<Policy>()
    // @ts-expect-error no such field
    definePolicy(presets.PUBLIC_API, { limits: 3 })
    // @ts-expect-error a quota has no window
    definePolicy(presets.QUOTA_FREE_DAILY, { window: 3 })
  })

  it('isLimited narrows a caught error to a refusal', () => {
    const error: unknown = undefined
    if (isLimited(error)) {
      expectTypeOf(error.decision).toEqualTypeOf<Decision>()
      expectTypeOf(error.code).toEqualTypeOf<'HALT_E_LIMITED'>()
    }
  })

  it('a callback may return null where a header is missing', () => {
    const options: RateLimiterOptions<Request> = {
      store,
      policy: { name: 'p', limit: 1, window: 1, keyExtractor: request => request.headers.get('x-tenant') },
      clientIp: request => request.headers.get('x-real-ip'),
      userId: request => request.headers.get('x-user'),
      apiKey: request => request.headers.get('x-key'),
    }
    expectTypeOf(options.userId).not.toBeAny()
  })

  it('the types refuse mistakes that would run and do the wrong thing', () => {
    const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API })
    // @ts-expect-error a quota has no window
    const both: Quota = { name: 'p', limit: 1, period: 'monthly', window: '1m' }
    // @ts-expect-error a request is an object
    void limiter.check(undefined)
    // @ts-expect-error a request is an object
    void limiter.check(42)
    // @ts-expect-error no such code
    silence('HALT_W_TYPO')
    // @ts-expect-error no such code
    expectTypeOf(new HaltError('HALT_E_LIMIT', '', '').code === 'HALT_E_NOPE').toBeBoolean()
    expectTypeOf(both).toExtend<Quota>()
  })

  it('no public type contains any', () => {
    expectTypeOf<Decision['allowed']>().toEqualTypeOf<boolean>()
    expectTypeOf<Decision['verdicts'][number]['key']>().toEqualTypeOf<string>()
    expectTypeOf<Decision[keyof Decision]>().not.toBeAny()
    expectTypeOf<Policy[keyof Policy]>().not.toBeAny()
    expectTypeOf<RateLimiterOptions[keyof RateLimiterOptions]>().not.toBeAny()
    expectTypeOf<Parameters<RateLimiter['check']>[0]>().not.toBeAny()
  })
})
