import { describe, expectTypeOf, it } from 'vitest'

import {
  Algorithm,
  definePolicy,
  type Decision,
  getPlanPolicy,
  KeyStrategy,
  type Policy,
  presets,
  type Quota,
  QuotaPeriod,
  RateLimiter,
  type RateLimiterOptions,
} from '../src/index.ts'
import { ManualClock, ReferenceStore } from '../src/testing/index.ts'

interface AppRequest {
  readonly tenant: string
}

const store = new ReferenceStore(new ManualClock().now)

describe('the types', () => {
  it('give callbacks the framework’s own request', () => {
    const limiter = new RateLimiter<AppRequest>({
      store,
      policy: request => {
        expectTypeOf(request).toEqualTypeOf<AppRequest>()
        return { name: 'p', limit: 1, window: 1, keyExtractor: ({ tenant }) => tenant }
      },
      userId: ({ tenant }) => tenant,
      clientIp: ({ tenant }) => tenant,
    })
    expectTypeOf(limiter.check).parameter(0).extract<AppRequest>().toEqualTypeOf<AppRequest>()
    expectTypeOf(limiter.check({ tenant: 'a' })).resolves.toEqualTypeOf<Decision>()
    const extracting: Policy<AppRequest> = {
      name: 'p',
      limit: 1,
      window: 1,
      keyExtractor: async ({ tenant }) => tenant,
    }
    expectTypeOf(extracting.keyExtractor).parameter(0).toEqualTypeOf<AppRequest>()
  })

  it('allow presets and plain policies in every limiter', () => {
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

  it('accept the plain strings for the names, and nothing else', () => {
    expectTypeOf<'token-bucket'>().toExtend<Algorithm>()
    expectTypeOf(Algorithm.TOKEN_BUCKET).toEqualTypeOf<'token-bucket'>()
    expectTypeOf(KeyStrategy.API_KEY).toEqualTypeOf<'api-key'>()
    expectTypeOf(QuotaPeriod.MONTHLY).toEqualTypeOf<'monthly'>()
    expectTypeOf<'leaky-bucket'>().not.toExtend<Algorithm>()
  })

  it('know which options exclude each other', () => {
    // @ts-expect-error requests in flight have a ttl, not a window
    const flight: Policy = { name: 'p', limit: 1, algorithm: 'concurrency', window: 60 }
    // @ts-expect-error a policy has a window
    const without: Policy = { name: 'p', limit: 1 }
    // @ts-expect-error a window is not a Date
    const wrong: Policy = { name: 'p', limit: 1, window: new Date() }
    expectTypeOf([flight, without, wrong]).toEqualTypeOf<Policy[]>()
  })

  it('contain no any in public types', () => {
    expectTypeOf<Decision['allowed']>().toEqualTypeOf<boolean>()
    expectTypeOf<Decision['verdicts'][number]['key']>().toEqualTypeOf<string>()
    expectTypeOf<Decision[keyof Decision]>().not.toBeAny()
    expectTypeOf<Policy[keyof Policy]>().not.toBeAny()
    expectTypeOf<RateLimiterOptions[keyof RateLimiterOptions]>().not.toBeAny()
    expectTypeOf<Parameters<RateLimiter['check']>[0]>().not.toBeAny()
  })
})
