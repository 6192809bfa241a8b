import type { HeaderBag, RequestView } from '@halt/core/http'
import type { Context, Env } from 'hono'

/** What Halt looks at of a Hono request. What costs something to find is found when a policy asks for it. */
export class ContextView<E extends Env> implements RequestView {
  readonly method: string
  readonly path: string
  readonly headers: HeaderBag
  readonly request: Context<E>
  readonly #findAddress: (c: Context<E>) => string | undefined

  constructor(c: Context<E>, findAddress: (c: Context<E>) => string | undefined) {
    const { raw } = c.req
    this.method = raw.method
    this.path = pathOf(raw.url)
    this.headers = raw.headers
    this.request = c
    this.#findAddress = findAddress
  }

  get ip(): string | undefined {
    return this.#findAddress(this.request)
  }

  get route(): string | undefined {
    return routeOf(this.request)
  }

  get user(): unknown {
    const c = this.request as unknown as Context<{ Variables: Record<'user' | 'jwtPayload', Claims | undefined> }>
    const user = c.get('user')
    // Of a token only the subject: an `id` in it may be the token's own, and a new token must be no new counter.
    return user?.id !== undefined || user?.sub !== undefined ? user : { sub: c.get('jwtPayload')?.sub }
  }
}

interface Claims {
  readonly id?: unknown
  readonly sub?: unknown
}

/** The path of an absolute URL. Not `c.req.path`: that is decoded, or whatever the app's `getPath` makes of it. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  if (start < 0) return '/'
  const query = url.indexOf('?', start)
  return query < 0 ? url.slice(start) : url.slice(start, query)
}

/** The pattern of the handler that will answer, mounts included; undefined where only middleware matched. */
function routeOf<E extends Env>(c: Context<E>): string | undefined {
  let bound: string | undefined
  for (const { handler, method, path } of c.req.matchedRoutes.slice(c.req.routeIndex + 1)) {
    // What takes no `next` answers. Hono wraps what is in a sub-app that has an onError of its own.
    const { __COMPOSED_HANDLER: own = handler } = handler as { readonly __COMPOSED_HANDLER?: typeof handler }
    if (own.length < 2) return path
    // What is mounted for all methods below a wildcard may guard any route; the rest was written for the one it names.
    if (method !== 'ALL' || !path.endsWith('*')) bound = path
  }
  return bound
}
