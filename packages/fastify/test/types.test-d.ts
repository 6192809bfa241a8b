import { type Decision, definePolicy, type Policy, presets, type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import Fastify, { type FastifyContextConfig, type FastifyReply, type FastifyRequest } from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'

import {
  halt,
  type HaltOptions,
  type HaltRouteOptions,
  type LimitedContext,
  type LimitedError,
} from '../src/index.ts'

const store = new InMemoryStore()
const limiter = new RateLimiter<FastifyRequest>({ store, policy: presets.PUBLIC_API })

// Plans as an application writes them, in a file of their own.
const company = ({ headers }: FastifyRequest): string | undefined => headers['x-company']?.toString()
const FREE: Policy<FastifyRequest> = { name: 'free', limit: 100, window: '1m', keyExtractor: company }
const FREE_MONTH: Quota<FastifyRequest> = {
  name: 'free_month',
  limit: 1000,
  period: 'monthly',
  keyExtractor: company,
}
const plans: Record<string, Policy<FastifyRequest>[]> = {
  free: [FREE, FREE_MONTH, presets.PUBLIC_API, presets.QUOTA_FREE_DAILY],
  pro: [definePolicy(FREE, { limit: 500 }), definePolicy(FREE_MONTH, { limit: 9000 })],
}

describe('the plugin', () => {
  it('the plugin accepts a limiter or the options of one, not both', () => {
    const app = Fastify()
    void app.register(halt, { limiter })
    void app.register(halt, {
      policy: presets.PUBLIC_API,
      hook: 'preHandler',
      global: false,
      throwOnLimited: true,
    })
    // @ts-expect-error a limiter has its store already
    void app.register(halt, { limiter, store })
    // @ts-expect-error there is no such hook
    void app.register(halt, { limiter, hook: 'onSend' })
    // @ts-expect-error nothing to decide by
    void app.register(halt, {})
  })

  it('callbacks get the own objects of Fastify', () => {
    const options: HaltOptions = {
      policy: {
        name: 'p',
        limit: 1,
        window: 1,
        keyExtractor: request => (expectTypeOf(request).toEqualTypeOf<FastifyRequest>(), request.id),
      },
      skip: request => (expectTypeOf(request).toEqualTypeOf<FastifyRequest>(), false),
      cost: request => (expectTypeOf(request).toEqualTypeOf<FastifyRequest>(), 1),
      chargeWhen: reply => (expectTypeOf(reply).toEqualTypeOf<FastifyReply>(), true),
      onLimited: (decision, context) => {
        expectTypeOf(decision).toEqualTypeOf<Decision>()
        expectTypeOf(context).toEqualTypeOf<LimitedContext>()
      },
    }
    expectTypeOf(options).toExtend<HaltOptions>()
  })

  it('plans in a file of their own fit the plugin, a route and a limiter, without a cast', () => {
    const app = Fastify()
    const own = plans['free'] ?? []
    void app.register(halt, { store, policy: request => plans[request.id] ?? [] })
    void app.register(halt, { policy: own })
    const byRequest = new RateLimiter({ store, policy: ({ id }: FastifyRequest) => plans[id] ?? [] })
    expectTypeOf(byRequest).toEqualTypeOf<RateLimiter<FastifyRequest>>()
    void app.register(halt, { limiter: byRequest })
    app.get('/', { config: { halt: { policy: own } }, preHandler: app.halt({ policy: own }) }, () => 'ok')
    app.get('/pro', async request => byRequest.check(request, { policy: own, also: FREE_MONTH }))
  })

  it('the plugin augments requests, instances and route configs', () => {
    const app = Fastify()
    app.get(
      '/',
      { config: { halt: { policy: presets.AUTH_ENDPOINTS, cost: 2, override: true } } },
      request => {
        expectTypeOf(request.halt).toEqualTypeOf<Decision | undefined>()
      },
    )
    app.get('/off', { config: { halt: false } }, () => 'ok')
    // @ts-expect-error a cost is a number
    app.get('/cost', { config: { halt: { cost: 'much' } } }, () => 'ok')
    expectTypeOf<FastifyContextConfig['halt']>().toEqualTypeOf<HaltRouteOptions | false | undefined>()
  })

  it('app.halt() makes hooks that fit routes of every kind', () => {
    const app = Fastify()
    const hook = app.halt({ limiter })
    app.get('/', { onRequest: hook, preValidation: [hook], preHandler: [hook, app.halt()] }, () => 'ok')
    app.get<{ Querystring: { a: string }; Params: { b: number } }>(
      '/:b',
      { preHandler: hook },
      ({ params }) => params.b,
    )
    app.setNotFoundHandler({ preHandler: app.halt({ policy: presets.PUBLIC_API }) }, () => 'none')
    app.addHook('preHandler', hook)
    const http2 = Fastify({ http2: true })
    void http2.register(halt, { limiter })
    http2.get('/', { preHandler: http2.halt() }, () => 'ok')
  })
})

describe('a thrown refusal', () => {
  it('a thrown refusal has a fixed code', () => {
    expectTypeOf<LimitedError['code']>().toEqualTypeOf<'HALT_E_LIMITED'>()
    expectTypeOf<LimitedError['statusCode']>().toEqualTypeOf<number>()
  })
})
