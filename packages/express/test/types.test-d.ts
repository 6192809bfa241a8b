import {
  cachedPolicy,
  type Decision,
  definePolicy,
  type Policy,
  PolicyRegistry,
  presets,
  type Quota,
  QuotaManager,
  RateLimiter,
  type Store,
} from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { describe, expectTypeOf, it } from 'vitest'

import type { AnyIn } from '../../../tools/any-in.ts'
import type * as api from '../src/index.ts'
import { halt, type LimitedContext, sendLimited } from '../src/index.ts'

const policy = { name: 'p', limit: 1, window: 60 }

// Plans as an application writes them, in a file of their own.
const tenant = (req: Request): string | undefined => req.get('x-tenant')
const FREE: Policy<Request> = { name: 'free', limit: 100, window: '1m', keyExtractor: tenant }
const FREE_MONTH: Quota<Request> = {
  name: 'free_month',
  limit: 1000,
  period: 'monthly',
  keyExtractor: tenant,
}
const POOL: Policy<Request> = { name: 'pool', limit: 5, algorithm: 'concurrency', ttl: '30s' }
const plans: Record<string, Policy<Request>[]> = {
  free: [FREE, FREE_MONTH, POOL, presets.PUBLIC_API, presets.QUOTA_FREE_DAILY],
  pro: [definePolicy(FREE, { limit: 500 }), definePolicy(FREE_MONTH, { limit: 9000 })],
}
const planOf = (req: Request): Policy<Request>[] => plans[req.get('x-plan') ?? 'free'] ?? []
const limiter = new RateLimiter<Request>({ store: new InMemoryStore(), policy: presets.PUBLIC_API })

describe('the types', () => {
  it('halt() has the type of a middleware, and req.halt that of a decision', () => {
    const middleware: RequestHandler = halt({ limiter })
    const app = express()
    app.use(middleware, halt({ policy: presets.PUBLIC_API, exemptPrivateIps: false }))
    express.Router().use('/api', halt({ limiter }))
    app.get('/items/:id', halt({ limiter }), (req, res, next) => {
      expectTypeOf(req.halt).toEqualTypeOf<Decision | undefined>()
      expectTypeOf(req.params).toEqualTypeOf<{ id: string }>()
      if (req.halt !== undefined) sendLimited({ req, res }, req.halt)
      // The context of onLimited, spelled out.
      if (req.halt !== undefined) sendLimited({ req, res, next }, req.halt)
    })
    const typed: RequestHandler<{ id: string }, { ok: boolean }, { name: string }> = (req, res) => {
      res.json({ ok: req.body.name === req.params.id })
    }
    app.post('/typed/:id', halt({ limiter }), typed)
  })

  it('callbacks get the request, the response and the decision', () => {
    halt({
      limiter,
      cost: req => {
        expectTypeOf(req).toEqualTypeOf<Request>()
        return { public_api: 2 }
      },
      skip: async req => {
        expectTypeOf(req).toEqualTypeOf<Request>()
        return false
      },
      idempotencyKey: req => req.get('idempotency-key'),
      chargeWhen: async res => {
        expectTypeOf(res).toEqualTypeOf<Response>()
        return res.statusCode >= 400
      },
      headers: decision => {
        expectTypeOf(decision).toEqualTypeOf<Decision>()
        return {}
      },
      onLimited: (decision, context) => {
        expectTypeOf(decision).toEqualTypeOf<Decision>()
        expectTypeOf(context).toEqualTypeOf<LimitedContext>()
        expectTypeOf(context.req).toEqualTypeOf<Request>()
        expectTypeOf(context.res).toEqualTypeOf<Response>()
        expectTypeOf(context.next).toEqualTypeOf<NextFunction>()
      },
    })
    halt({
      policy: [{ ...policy, keyExtractor: req => req.get('x-tenant') }, presets.QUOTA_FREE_DAILY],
      userId: req => req.get('x-user'),
    })
  })

  it('halt() accepts a policy, several policies or a function', () => {
    halt({ policy: [presets.PUBLIC_API, presets.QUOTA_PRO_MONTHLY] })
    halt({ policy: req => presets.getPlanPolicy(req.get('x-plan') ?? 'free') })
    halt({ policy: async req => (req.secure ? [presets.PLAN_PRO] : presets.PLAN_FREE) })
    halt({ limiter, policy: presets.AUTH_ENDPOINTS })
    halt({ limiter: new RateLimiter({ store: new InMemoryStore(), policy }) })
  })

  it('plans in a file of their own fit every way to choose one, without a cast', () => {
    const store: Store = new InMemoryStore()
    halt({ store, policy: planOf })
    halt({ policy: req => plans[req.path] ?? [] })
    halt({ policy: planOf({} as Request) })
    halt({ limiter, policy: planOf({} as Request) })
    halt({ policy: cachedPolicy(async id => plans[id] ?? [], { key: (req: Request) => req.get('x-plan') }) })
    halt({ policy: new PolicyRegistry(planOf({} as Request)).resolver(req => req.path) })
    const byRequest = new RateLimiter({ store, policy: planOf })
    expectTypeOf(byRequest).toEqualTypeOf<RateLimiter<Request>>()
    expectTypeOf(new RateLimiter({ store, policy: planOf({} as Request) })).toEqualTypeOf(byRequest)
    halt({ limiter: byRequest })
    void byRequest.check({} as Request, { policy: planOf({} as Request), also: FREE_MONTH })
    void byRequest.consume({ user: 'u' }, { policy: planOf({} as Request) })
    for (const each of planOf({} as Request))
      if (each.period !== undefined) void new QuotaManager(store).checkQuota('u', each)
    void new QuotaManager(store).consumeQuota('u', FREE_MONTH)
  })

  it('halt() refuses options that exclude each other and options that do not exist', () => {
    // @ts-expect-error neither limiter nor policy
    halt({})
    // @ts-expect-error a limiter has its store
    halt({ limiter, store: new InMemoryStore() })
    // @ts-expect-error another library's option
    halt({ policy, windowMs: 60_000 })
    // @ts-expect-error no dialect
    halt({ limiter, headers: 'draft-3' })
  })

  it('the types of the package contain no any', () => {
    type Foreign = Request | Response | RequestHandler
    expectTypeOf<AnyIn<typeof api, Foreign>>().toBeNever()
    expectTypeOf<AnyIn<api.HaltOptions | api.HaltMiddleware | api.LimitedContext, Foreign>>().toBeNever()
  })
})
