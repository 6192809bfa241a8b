import { type HeaderBag, matchedRoute, pathOf, type RequestView } from '@halt/core/http'
import type { Request } from 'express'

/** What Halt looks at of an Express request. */
export class ExpressView implements RequestView {
  readonly method: string
  readonly path: string
  readonly ip: string | undefined
  readonly request: Request

  constructor(req: Request) {
    this.method = req.method
    // Not req.path: that is relative to the mount. Other servers than Express's have the URL alone.
    this.path = pathOf((req as Partial<Request>).originalUrl ?? req.url)
    // Not req.ip: that is what "trust proxy" makes of headers, by hop counts and the leftmost entry.
    // A request that a test made by hand may have no socket.
    this.ip = (req as Partial<Request>).socket?.remoteAddress
    this.request = req
  }

  /** Node makes an object of them when it is first asked; most checks need none. */
  get headers(): HeaderBag {
    return (this.request as Partial<Request>).headers ?? {}
  }

  get httpVersion(): string | undefined {
    return this.request.httpVersion
  }

  /** The pattern of the route that the middleware is mounted on; undefined above routes. */
  get route(): RequestView['route'] {
    return matchedRoute(this.request)
  }
}
