import { type HeaderBag, matchedRoute, pathOf, type RequestView } from '@halt/core/http'
import type { Request } from 'express'

/** The parts of an Express request that Halt reads. */
export class ExpressView implements RequestView {
  readonly method: string
  readonly path: string
  readonly ip: string | undefined
  readonly request: Request

  constructor(req: Request) {
    this.method = req.method
    // Do not read req.path: it is relative to the mount. Servers other than Express have only `url`.
    this.path = pathOf((req as Partial<Request>).originalUrl ?? req.url)
    // Do not read req.ip: "trust proxy" derives it from headers, by hop counts and the leftmost entry.
    // A request that a test made by hand may have no socket.
    this.ip = (req as Partial<Request>).socket?.remoteAddress
    this.request = req
  }

  /** Node builds this object at the first access, and most checks do not need it. */
  get headers(): HeaderBag {
    return (this.request as Partial<Request>).headers ?? {}
  }

  get httpVersion(): string | undefined {
    return this.request.httpVersion
  }

  /** The pattern of the route that the middleware is mounted on; undefined if it is mounted before the routes. */
  get route(): RequestView['route'] {
    return matchedRoute(this.request)
  }
}
