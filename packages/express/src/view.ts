import { type HeaderBag, pathOf, type RequestView } from '@halt/core/http'
import type { Request } from 'express'

/** What Halt looks at of an Express request. */
export class ExpressView implements RequestView {
  readonly method: string
  readonly path: string
  readonly ip: string | undefined
  readonly headers: HeaderBag
  readonly request: Request

  constructor(req: Request) {
    this.method = req.method
    // Not req.path: that is relative to the mount.
    this.path = pathOf(req.originalUrl)
    // Not req.ip: that is what "trust proxy" makes of headers, by hop counts and the leftmost entry.
    this.ip = req.socket.remoteAddress
    this.headers = req.headers
    this.request = req
  }

  get route(): string | undefined {
    return routeOf(this.request)
  }
}

interface Route {
  /** A pattern, or (Express 4 and 5 take more than their types say) an expression or a list. */
  readonly path: unknown
}

/** The pattern of the route that the middleware is mounted on; undefined above routes. */
function routeOf({
  route,
  baseUrl,
}: {
  readonly route?: Route
  readonly baseUrl: string
}): string | undefined {
  if (route === undefined) return undefined
  return (baseUrl === '' ? '' : mountOf(route, baseUrl.toLowerCase())) + String(route.path)
}

const MOUNTS = 8
const mounts = new WeakMap<Route, Set<string>>()

// Express tells where a router is mounted only as the client spelled it. A few spellings are a few mounts; more of them
// are values of a parameter in the mount's path, of which a client can invent as many as it wants counters.
function mountOf(route: Route, baseUrl: string): string {
  let known = mounts.get(route)
  if (known === undefined) mounts.set(route, (known = new Set()))
  if (known.has(baseUrl)) return baseUrl
  if (known.size === MOUNTS) return '*'
  known.add(baseUrl)
  return baseUrl
}
