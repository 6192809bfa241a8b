import { pathOf } from '@halt/core/http'

import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import { hold, responseOf } from './fetch.ts'
import { connectionOf, nodeBindings, type NodeDoor } from './node.ts'
import type { Refusals } from './refusals.ts'
import { endingOf, handlerEnded, hasSeen, watch } from './watch.ts'

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
    const { method, url, raw } = context.req
    if (door.counted.has(raw) || (outgoing !== undefined && hasSeen(door, outgoing))) return next()
    const connection = incoming && connectionOf(incoming)
    const entry = doorkeeper.ask(context, method, pathOf(url), undefined, connection)
    if (entry === REFUSED) return responseOf(refusals.pick())
    if (entry === UNCOUNTED) return next()
    // Node tells when a client leaves, and that costs less than the signal of the request.
    if (incoming !== undefined && outgoing !== undefined) {
      watch(door, entry, incoming, outgoing, context)
      try {
        return await next()
      } finally {
        handlerEnded(outgoing)
      }
    }
    const end = hold(door, entry, raw)
    let ending: ReturnType<typeof endingOf> = 'drop'
    try {
      await next()
      ending = endingOf(context.res.status, context)
    } finally {
      end(ending)
    }
    return undefined
  }
}
