import { type Decision, definePolicy, type Policy, presets, type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expectTypeOf, it } from 'vitest'

import { type Checked, decisionOf, halt, sendLimited, viewOf } from '../src/index.ts'
import type * as api from '../src/index.ts'
import type { AnyIn } from '../../../tools/any-in.ts'

/** As Next.js gives it to route handlers and to its proxy. */
interface NextRequest extends Request {
  readonly nextUrl: { readonly pathname: string }
}
/** As SvelteKit gives it to its endpoints. */
interface RequestEvent {
  readonly request: Request
  readonly locals: { readonly user?: { readonly id: string; readonly plan: 'free' | 'pro' } }
  getClientAddress(): string
}
/** As h3 gives it to its handlers. */
interface H3Event {
  readonly req: Request
  readonly context: Record<string, unknown>
}

const policy = { name: 'p', limit: 1, window: 60 }

// Plans as an application writes them, in a file of their own.
const company = ({ headers }: Request): string | null => headers.get('x-company')
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
const limiter = new RateLimiter<Request>({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
const any = new RateLimiter({ store: new InMemoryStore(), policy })
const limit = halt({ limiter, clientIp: 'vercel' })

describe('the types', () => {
  it('a limit knows the request of a handler without annotations', () => {
    limit(request => {
      expectTypeOf(request).toEqualTypeOf<Request>()
      return new Response()
    })
    limit(
      limit(async request => {
        expectTypeOf(request).toEqualTypeOf<Request>()
        return new Response()
      }),
    )
  })

  it('a limit keeps the parameters of a handler', () => {
    type Context = { readonly params: Promise<{ readonly id: string }> }
    const POST = limit(async (request: NextRequest, { params }: Context) =>
      Response.json([request.nextUrl.pathname, (await params).id]),
    )
    expectTypeOf(POST).toExtend<(request: NextRequest, context: Context) => Promise<Response>>()
    expectTypeOf(limit((event: RequestEvent) => Response.json(event.locals))).toExtend<
      (event: RequestEvent) => Promise<Response>
    >()
    expectTypeOf(limit((event: H3Event) => new Response(event.req.url))).toExtend<
      (event: H3Event) => Promise<Response>
    >()
    const GET = limit(() => new Response())
    expectTypeOf(GET).toExtend<(request: NextRequest, context: Context) => Promise<Response>>()
    expectTypeOf(GET).toExtend<(event: RequestEvent) => Promise<Response>>()
  })

  it('a limit keeps other results of a handler', () => {
    expectTypeOf(limit((request: Request) => void request.url)).returns.resolves.toEqualTypeOf<
      Response | undefined
    >()
    expectTypeOf(limit(async () => ({ a: 1 }))).returns.resolves.toEqualTypeOf<Response | { a: number }>()
  })

  it('clientIp accepts named platforms and functions', () => {
    halt({ policy, clientIp: 'cloudflare' })
    halt({ policy, clientIp: request => request.headers.get('x-own') ?? undefined })
    halt<Request, RequestEvent>({ policy, clientIp: (_, event) => event.getClientAddress() })
    // @ts-expect-error no platform
    halt({ policy, clientIp: 'heroku' })
    viewOf({} as NextRequest, 'fly')
    viewOf({} as RequestEvent, (_, event: RequestEvent) => event.getClientAddress())
  })

  it('callbacks get the request, the context and the decision', () => {
    halt<NextRequest, { id: string }>({
      policy: (request, { id }) => (request.nextUrl.pathname === id ? presets.PLAN_PRO : presets.PLAN_FREE),
      userId: (_, { id }) => id,
      cost: (request, { id }) => request.nextUrl.pathname.length + id.length,
      skip: async (_, { id }) => id === '',
      idempotencyKey: (request, { id }) => request.headers.get(id) ?? undefined,
      route: (_, { id }) => id,
      chargeWhen: (response, request, { id }) => response.ok && request.nextUrl.pathname === id,
      onLimited: (decision, { request, context, status }) => {
        expectTypeOf(decision).toEqualTypeOf<Decision>()
        expectTypeOf(request).toEqualTypeOf<NextRequest>()
        return Response.json(context.id, { status })
      },
    })
    halt<Request, RequestEvent>({
      policy: (_, { locals }) => presets.getPlanPolicy(locals.user?.plan ?? 'free'),
    })
    halt({ limiter: any, route: { pattern: '/a', method: 'ALL' } })
    halt<NextRequest>({ limiter: any, policy: [presets.PUBLIC_API, presets.QUOTA_FREE_DAILY] })
  })

  it('plans in a file of their own fit handlers of every framework, without a cast', () => {
    const planOf = ({ headers }: Request): 'free' | 'pro' => (headers.has('x-pro') ? 'pro' : 'free')
    halt({ policy: request => plans[planOf(request)] })(async request => new Response(request.url))
    halt({ policy: (_: Request, { locals }: RequestEvent) => plans[locals.user?.plan ?? 'free'] })(
      (event: RequestEvent) => new Response(event.request.url),
    )
    halt({ policy: (request: NextRequest) => plans[planOf(request)] })(
      (request: NextRequest) => new Response(request.nextUrl.pathname),
    )
    const byRequest = new RateLimiter({
      store: new InMemoryStore(),
      policy: (request: Request) => plans[planOf(request)],
    })
    halt<NextRequest>({ limiter: byRequest, policy: plans.pro })
  })

  it('check tells middleware the answer, the headers and the decision', async () => {
    const checked = await limit.check({} as NextRequest)
    expectTypeOf(checked).toEqualTypeOf<Checked>()
    expectTypeOf(checked.response).toEqualTypeOf<Response | undefined>()
    new Headers(checked.headers)
    expectTypeOf(checked.finish(new Response())).toEqualTypeOf<Response>()
    await limit.check({} as RequestEvent)
    expectTypeOf(decisionOf({} as RequestEvent)).toEqualTypeOf<Decision | undefined>()
    expectTypeOf(sendLimited({} as H3Event, {} as Decision)).toEqualTypeOf<Response>()
  })

  it('halt() refuses options that exclude each other and options that do not exist', () => {
    // @ts-expect-error neither limiter nor policy
    halt({})
    // @ts-expect-error a limiter has its store
    halt({ limiter, store: new InMemoryStore() })
    // @ts-expect-error another library's option
    halt({ policy, windowMs: 60_000 })
    // @ts-expect-error the answer is a response
    halt({ limiter, onLimited: () => 'no' })
    // @ts-expect-error no handler
    limit({ fetch: () => new Response() })
    // @ts-expect-error a handler of Node
    limit((req: { url: string }, res: { end(): void }) => res.end(req.url))
  })

  it('the types of the package contain no any', () => {
    type Foreign = Request | Response
    expectTypeOf<AnyIn<typeof api, Foreign>>().toBeNever()
    expectTypeOf<
      AnyIn<
        | api.HaltOptions
        | api.Limit
        | api.Checked
        | api.FetchEvent
        | api.LimitedContext
        | api.ClientIp
        | api.Platform,
        Foreign
      >
    >().toBeNever()
  })
})
