import {
  type Decision,
  definePolicy,
  getPlanPolicy,
  type Policy,
  presets,
  type Quota,
  RateLimiter,
} from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { ExecutionContext } from '@nestjs/common'
import type { Request } from 'express'
import { assertType, expectTypeOf, it } from 'vitest'

import {
  HaltModule,
  type HaltModuleOptions,
  type NestPolicy,
  type NestRequest,
  RateLimit,
  RateLimitCost,
  SkipRateLimit,
} from '../src/index.ts'

const store = new InMemoryStore()

it('callbacks get the request and the ExecutionContext', () => {
  HaltModule.forRoot({
    store,
    policy: {
      name: 'p',
      limit: 1,
      window: 1,
      keyExtractor: (request, context) => {
        expectTypeOf(request).toEqualTypeOf<NestRequest>()
        expectTypeOf(context).toEqualTypeOf<ExecutionContext>()
        return context.getHandler().name
      },
    },
    userId: (_request, context) => context.getClass().name,
    skip: async request => request.method === 'GET',
    cost: request => (request.url === '/' ? 1 : { p: 2 }),
    chargeWhen: ({ statusCode }, context) => statusCode < 400 && context.getType() === 'http',
    onLimited: (decision, context) => {
      expectTypeOf(decision).toEqualTypeOf<Decision>()
      expectTypeOf(context).toEqualTypeOf<ExecutionContext>()
    },
  })
})

it('callbacks can declare the request that they expect', () => {
  HaltModule.forRoot({ policy: presets.PUBLIC_API, userId: (request: Request) => request.get('x-user') })
  HaltModule.forRoot({
    policy: (request: Request) => (request.get('x') ? presets.PLAN_PRO : [presets.PLAN_FREE]),
  })
  const policy: NestPolicy<Request> = {
    name: 'p',
    limit: 1,
    window: 1,
    keyExtractor: request => request.get('x'),
  }
  HaltModule.forRoot({ policy, policies: { other: [policy] } })
  RateLimitCost((request: Request) => request.body.length as number)
  RateLimit(policy)
})

it('callbacks get the request beside a preset', () => {
  HaltModule.forRoot({
    policy: presets.PUBLIC_API,
    policies: { auth: presets.AUTH_ENDPOINTS, month: presets.QUOTA_PRO_MONTHLY },
    skip: request => {
      expectTypeOf(request).toEqualTypeOf<NestRequest>()
      return request.url === '/x'
    },
  })
  HaltModule.forRoot({
    policy: definePolicy(presets.PUBLIC_API, { limit: 5 }),
    cost: request => (request.url === '/' ? 1 : 2),
  })
  HaltModule.forRoot({ policy: () => presets.PLAN_PRO, skip: request => request.url === '/x' })
  HaltModule.forRootAsync({
    useFactory: () => ({ policy: getPlanPolicy('pro'), skip: request => request.url === '/x' }),
  })
  RateLimit(presets.AUTH_ENDPOINTS, {
    name: 'p',
    limit: 1,
    window: 1,
    keyExtractor: (request, context) => request.url ?? context.getHandler().name,
  })
})

it('presets, policies and quotas of the core fit', () => {
  const policy: Policy = { name: 'p', limit: 1, window: 1 }
  const quota: Quota = { name: 'q', limit: 1, period: 'daily' }
  HaltModule.forRoot({
    policy: [policy, quota, presets.PUBLIC_API],
    policies: { auth: presets.AUTH_ENDPOINTS },
  })
  RateLimit('auth', policy, quota, { override: true })
  SkipRateLimit('auth')
})

// Plans as an application writes them, in a file of their own.
const company = (request: Request): string | undefined => request.get('x-company')
const FREE: Policy<Request> = { name: 'free', limit: 100, window: '1m', keyExtractor: company }
const FREE_MONTH: Quota<Request> = {
  name: 'free_month',
  limit: 1000,
  period: 'monthly',
  keyExtractor: company,
}
const plans: Record<'free' | 'pro', Policy<Request>[]> = {
  free: [FREE, FREE_MONTH, presets.PUBLIC_API],
  pro: [definePolicy(FREE, { limit: 500 }), definePolicy(FREE_MONTH, { limit: 9000 })],
}
const byCall: Record<string, NestPolicy[]> = {
  free: [{ name: 'call', limit: 5, window: 1, keyExtractor: (_, context) => context.getHandler().name }],
  pro: [presets.PLAN_PRO, presets.QUOTA_PRO_MONTHLY],
}

it('plans in a file of their own fit the module and its decorators, without a cast', () => {
  const planOf = (request: Request): Policy<Request>[] =>
    plans[request.get('x-plan') === 'pro' ? 'pro' : 'free']
  HaltModule.forRoot({ store, policy: planOf, policies: { month: FREE_MONTH } })
  HaltModule.forRoot({ store, policy: request => byCall[request.url ?? ''] ?? [] })
  HaltModule.forRoot({ store, policy: plans.free })
  HaltModule.forRootAsync({ useFactory: () => ({ store, policy: planOf }) })
  HaltModule.forRoot({ limiter: new RateLimiter({ store, policy: planOf }) })
  RateLimit(FREE, FREE_MONTH)
  RateLimit(...plans.pro)
})

it('a limiter fits, but not with options of a limiter', () => {
  const limiter = new RateLimiter<Request>({ store, policy: presets.PUBLIC_API })
  HaltModule.forRoot({ limiter, policies: { auth: presets.AUTH_ENDPOINTS } })
  HaltModule.forRoot({ limiter: new RateLimiter({ store, policy: presets.PUBLIC_API }) })
  // @ts-expect-error userId belongs to the limiter
  HaltModule.forRoot({ limiter, userId: () => '1' })
  // @ts-expect-error no such option
  HaltModule.forRoot({ policy: presets.PUBLIC_API, windowMs: 1 })
})

it('forRootAsync takes the same options as forRoot', () => {
  class Config {
    readonly limit = 1
  }
  HaltModule.forRootAsync({
    inject: [Config],
    useFactory: (config: Config) => ({
      policy: { ...presets.PUBLIC_API, limit: config.limit },
      userId: (request: Request) => request.get('x'),
    }),
  })
  assertType<HaltModuleOptions>({ policies: { auth: presets.AUTH_ENDPOINTS } })
})
