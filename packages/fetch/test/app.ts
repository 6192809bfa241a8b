import { type AdapterUnderTest, ROUTES, type Route, type Setup, type StoreUnderTest } from '@halt/conformance'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'

import {
  decisionOf,
  halt,
  type HaltOptions,
  type Limit,
  type LimitedContext,
  type Platform,
} from '../src/index.ts'

/** A handler as `Bun.serve`, `Deno.serve` and bridges on Node call it. */
export type Handler = (request: Request, context: unknown) => Promise<Response>

/** The stores that the suite runs on. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
]

function later(store: Store): Store {
  return { evaluate: async group => store.evaluate(group), forget: cells => store.forget(cells) }
}

/** The parts of the adapter under test that are the same on every runtime. */
export const common: Pick<AdapterUnderTest, 'header' | 'status' | 'answer'> = {
  header: (request: Request, name) => request.headers.get(name) ?? undefined,
  status: (response: Response) => response.status,
  answer: (context: LimitedContext, { status = context.status, body }) => new Response(body, { status }),
}

/** The fixed API of the suite. Guards before all routes are middleware, which uses `check`. The others wrap handlers. */
export function build({ guards, handle, headers }: Setup, clientIp: Platform): Handler {
  const limitOf = (options: unknown, route?: HaltOptions['route']): Limit =>
    halt({ ...(options as HaltOptions), clientIp, route })
  const before = guards.flatMap(({ at, options }) => (at === undefined ? limitOf(options) : []))
  const routes = ROUTES.map(route => {
    let handler: Handler = async request => {
      // @hono/node-server resets an HTTP/2 stream whose body the app has not read.
      if (request.method === 'POST') await request.text()
      const { status, body } = await handle({ ...route, decision: decisionOf(request) })
      return new Response(body, { status })
    }
    for (const { options } of guards.filter(({ at }) => at === route.path).toReversed())
      handler = limitOf(options, patternOf(route))(handler)
    return { route, handler }
  })

  return async (request, context) => {
    const id = request.headers.get('x-user')
    if (id !== null) Object.assign(request, { user: { id } })
    const finishes: ((response: Response) => Response)[] = []
    const finish = (response: Response): Response => {
      for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
      return finishes.reduceRight((answer, each) => each(answer), response)
    }
    for (const limit of before) {
      const checked = await limit.check(request, context)
      finishes.push(checked.finish)
      if (checked.response !== undefined) return finish(checked.response)
    }
    const handler = routes.find(({ route }) => matches(route, request))?.handler
    try {
      return finish((await handler?.(request, context)) ?? new Response(null, { status: 404 }))
    } catch {
      return finish(new Response('broken', { status: 500 }))
    }
  }
}

function patternOf({ method, path }: Route): HaltOptions['route'] {
  return method === 'ALL' ? { pattern: path, method } : path
}

function matches({ method, path }: Route, request: Request): boolean {
  const verb = request.method === 'HEAD' ? 'GET' : request.method
  const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`)
  return (method === 'ALL' || method === verb) && pattern.test(new URL(request.url).pathname)
}
