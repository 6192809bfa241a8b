import { pathOf } from '@halt/core/http'

import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import { leaveOnAbort, responseOf } from './fetch.ts'
import type { NodeDoor } from './node.ts'
import type { Refusals } from './refusals.ts'
import { endingOf, hasSeen, type NodeResponse, watch } from './watch.ts'

/** The part of Hono's context that is used. */
interface HonoContext {
  readonly req: { readonly method: string; readonly url: string; readonly raw: Request }
  readonly env: unknown
  readonly res: Response
}

/** A middleware of Hono. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>

/** Makes the middleware. */
export function honoOf(doorkeeper: Doorkeeper, refusals: Refusals, door: NodeDoor): HonoMiddleware {
  return async (context, next) => {
    const { incoming, outgoing } = nodeBindings(context.env)
    if (outgoing !== undefined && hasSeen(door, outgoing)) return next()
    const { method, url } = context.req
    const entry = doorkeeper.ask(context as never, method, pathOf(url))
    if (entry === REFUSED) return responseOf(refusals.pick())
    if (entry === UNCOUNTED) return next()
    // Node tells when a client leaves, and that costs less than the signal of the request.
    if (incoming !== undefined && outgoing !== undefined) {
      watch(door, entry, incoming, outgoing)
      return next()
    }
    const end = leaveOnAbort(entry, context.req.raw.signal)
    let ending: ReturnType<typeof endingOf> = 'drop'
    try {
      await next()
      ending = endingOf(context.res.status)
    } finally {
      end(ending)
    }
    return undefined
  }
}

/** The bindings of `@hono/node-server`. */
function nodeBindings(env: unknown): { readonly incoming?: object; readonly outgoing?: NodeResponse } {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: object; outgoing?: NodeResponse }
  return typeof outgoing?.on === 'function' && incoming !== undefined ? { incoming, outgoing } : {}
}
