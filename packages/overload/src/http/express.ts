import type { NodeDoor, RawRequest } from './node.ts'
import type { NodeResponse } from './watch.ts'

/** A middleware of Express, Connect, or of Nest on Express. */
export type Middleware = (request: object, response: object, next: () => void) => void

/** Makes the middleware. Mount it before all others, or after authentication if priorities need the user. */
export function expressOf(door: NodeDoor): Middleware {
  return (request, response, next) => {
    // Within a router `url` lacks the path of its mount.
    const { originalUrl } = request as { readonly originalUrl?: string }
    if (door.admits(request, request as RawRequest, response as NodeResponse, originalUrl ?? undefined))
      next()
  }
}
