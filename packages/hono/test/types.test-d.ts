import { type Decision, definePolicy, type Policy, presets, type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { getConnInfo as onNode } from '@hono/node-server/conninfo'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { getConnInfo as onBun } from 'hono/bun'
import { hc, type InferResponseType } from 'hono/client'
import { getConnInfo as onWorkers } from 'hono/cloudflare-workers'
import { getConnInfo as onDeno } from 'hono/deno'
import { createFactory } from 'hono/factory'
import { getConnInfo as onVercel } from 'hono/vercel'
import { describe, expectTypeOf, it } from 'vitest'

import type { AnyIn } from '../../../tools/any-in.ts'
import type * as api from '../src/index.ts'
import { type ConnInfo, type GetConnInfo, halt, type HaltOptions, sendLimited, viewOf } from '../src/index.ts'

interface AppEnv {
  Bindings: { KEYS: Map<string, string> }
  Variables: { user: { id: string; plan: 'free' | 'pro' } }
}

const policy = { name: 'p', limit: 1, window: 60 }

// Plans as an application writes them, in a file of their own: for its own context, and for that of any application.
const FREE_MONTH: Quota<Context> = {
  name: 'free_month',
  limit: 1000,
  period: 'monthly',
  keyExtractor: c => c.req.header('x-company'),
}
const plans: Record<'free' | 'pro', Policy<Context<AppEnv>>[]> = {
  free: [{ ...policy, keyExtractor: c => c.get('user').id }, FREE_MONTH, presets.QUOTA_FREE_DAILY],
  pro: [definePolicy(FREE_MONTH, { limit: 9000 }), presets.PLAN_PRO],
}
const anyApp: Record<string, Policy<Context>[]> = { free: [FREE_MONTH, presets.PLAN_FREE] }
const limiter = new RateLimiter<Context<AppEnv>>({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
const any = new RateLimiter({ store: new InMemoryStore(), policy })

describe('the types', () => {
  it('halt() has the type of a middleware, and c.get("halt") that of a decision', () => {
    const app = new Hono()
    app.use(halt({ policy: presets.PUBLIC_API, getConnInfo: onNode }))
    app.get('/items/:id', halt({ limiter: any }), c => {
      expectTypeOf(c.get('halt')).toEqualTypeOf<Decision | undefined>()
      expectTypeOf(c.var.halt).toEqualTypeOf<Decision | undefined>()
      expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
      const decision = c.get('halt')
      return decision === undefined ? c.text('ok') : sendLimited(c, decision)
    })
    const middleware: MiddlewareHandler = halt({ limiter: any })
    app.use('/api/*', middleware, halt({ policy }))
  })

  it('halt() accepts apps with their own bindings and variables', () => {
    const app = new Hono<AppEnv>()
    app.use(halt({ policy: presets.PUBLIC_API, getConnInfo: onNode }))
    app.use(halt({ limiter, getConnInfo: onWorkers }))
    app.use(halt({ limiter: any, getConnInfo: onDeno }))
    app.use(halt<AppEnv>({ policy: c => presets.getPlanPolicy(c.get('user').plan), getConnInfo: onBun }))
    app.get('/typed/:id', halt<AppEnv>({ limiter, skip: c => c.env.KEYS.size === 0 }), c => {
      expectTypeOf(c.get('user').plan).toEqualTypeOf<'free' | 'pro'>()
      expectTypeOf(c.get('halt')).toEqualTypeOf<Decision | undefined>()
      expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
      return c.json(viewOf(c, onVercel).path)
    })
    const factory = createFactory<AppEnv>()
    factory.createHandlers(halt({ limiter }), c => c.text(c.get('user').id))
  })

  it('halt() does not change the answer types of a route', () => {
    const bare = new Hono<AppEnv>().get('/a', c => c.json({ ok: true }, 201))
    const limited = new Hono<AppEnv>().get('/a', halt({ limiter, getConnInfo: onNode }), c =>
      c.json({ ok: true }, 201),
    )
    type Get<App extends Hono<any, any, any>> =
      ReturnType<typeof hc<App>> extends {
        readonly a: { readonly $get: infer G }
      }
        ? G
        : never
    expectTypeOf<Get<typeof limited>>().toEqualTypeOf<Get<typeof bare>>()
    expectTypeOf<InferResponseType<Get<typeof limited>, 201>>().toEqualTypeOf<{ ok: true }>()
  })

  it('callbacks get the context, the response and the decision', () => {
    halt<AppEnv>({
      limiter,
      getConnInfo: c => {
        expectTypeOf(c).toEqualTypeOf<Context<AppEnv>>()
        return { remote: { address: c.req.header('x-real-ip') } }
      },
      cost: c => {
        expectTypeOf(c).toEqualTypeOf<Context<AppEnv>>()
        return { public_api: 2 }
      },
      skip: async c => c.get('user').plan === 'pro',
      chargeWhen: async (response, c) => {
        expectTypeOf(c).toEqualTypeOf<Context<AppEnv>>()
        expectTypeOf(response).toEqualTypeOf<Response>()
        return response.status >= 400
      },
      onLimited: (decision, c) => {
        expectTypeOf(decision).toEqualTypeOf<Decision>()
        expectTypeOf(c).toEqualTypeOf<Context<AppEnv>>()
        return c.json({ wait: decision.retryAfter }, 429)
      },
    })
    halt<AppEnv>({
      policy: [{ ...policy, keyExtractor: c => c.get('user').id }, presets.QUOTA_FREE_DAILY],
      userId: c => c.get('user').id,
    })
  })

  it('halt() accepts a policy, several policies or a function', () => {
    halt({ policy: [presets.PUBLIC_API, presets.QUOTA_PRO_MONTHLY] })
    halt({ policy: c => presets.getPlanPolicy(c.req.header('x-plan') ?? 'free') })
    halt({ policy: async c => (c.req.url.startsWith('https:') ? [presets.PLAN_PRO] : presets.PLAN_FREE) })
    halt({ limiter, policy: presets.AUTH_ENDPOINTS })
  })

  it('plans in a file of their own fit apps with and without variables, without a cast', () => {
    const app = new Hono<AppEnv>()
    app.use(halt<AppEnv>({ policy: c => plans[c.get('user').plan] }), halt({ policy: plans.free }))
    app.use(halt({ policy: (c: Context<AppEnv>) => plans[c.get('user').plan] }))
    app.use(halt<AppEnv>({ policy: c => anyApp[c.get('user').plan] ?? [] }))
    const byUser = new RateLimiter({
      store: new InMemoryStore(),
      policy: (c: Context<AppEnv>) => plans[c.get('user').plan],
    })
    app.get('/', halt({ limiter: byUser, policy: plans.pro }), async c =>
      c.json(await byUser.check(c, { policy: plans.free })),
    )
    new Hono().use(halt({ policy: anyApp['free'] ?? [] }), halt({ policy: c => anyApp[c.req.path] ?? [] }))
  })

  it('halt() refuses options that exclude each other and options that do not exist', () => {
    // @ts-expect-error neither limiter nor policy
    halt({})
    // @ts-expect-error a limiter has its store
    halt({ limiter, store: new InMemoryStore() })
    // @ts-expect-error another library's option
    halt({ policy, windowMs: 60_000 })
    // @ts-expect-error Hono takes no answer but a response
    halt({ limiter, onLimited: () => 'no' })
    // @ts-expect-error no dialect
    halt({ limiter, headers: 'draft-3' })
  })

  it('the types of the package contain no any', () => {
    type Foreign = Context<any> | Request | Response | Handler | MiddlewareHandler
    expectTypeOf<AnyIn<typeof api, Foreign>>().toBeNever()
    expectTypeOf<AnyIn<HaltOptions | ConnInfo | GetConnInfo, Foreign>>().toBeNever()
  })

  it('the search for any finds one in parameters, results, lists and promises', () => {
    interface Sample {
      readonly list: readonly { readonly of: (given: { readonly in: any }) => Promise<any> }[]
    }
    expectTypeOf<AnyIn<Sample>>().toEqualTypeOf<'.list[].of().in' | 'await .list[].of=>'>()
  })
})
