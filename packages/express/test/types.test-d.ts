import { type Decision, presets, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { describe, expectTypeOf, it } from 'vitest'

import type { AnyIn } from '../../../tools/any-in.ts'
import type * as api from '../src/index.ts'
import { halt, type LimitedContext, sendLimited } from '../src/index.ts'

const policy = { name: 'p', limit: 1, window: 60 }
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
