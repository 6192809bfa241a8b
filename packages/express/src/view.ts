import { type HeaderBag, matchedRoute, pathOf, type RequestView } from '@halt/core/http'
import type { Request, Response } from 'express'

/** The parts of an Express request that Halt reads. */
export class ExpressView implements RequestView {
  // Read at once, because a socket forgets its address when the client leaves.
  readonly ip: string | undefined
  readonly request: Request

  constructor(req: Request, res: Response) {
    // Do not read req.ip: "trust proxy" derives it from headers, by hop counts and the leftmost entry.
    // perf: test "inline caches"; Express reads the socket of the response anyway, and not the socket of the request. The response has
    // no socket while another response of its connection is sent. A request that a test made by hand may have no socket either.
    const socket = (res as Partial<Response>).socket ?? (req as Partial<Request>).socket
    this.ip = socket?.remoteAddress
    this.request = req
  }

  get method(): string {
    return this.request.method
  }

  /** Not req.path, which is relative to the mount. Servers other than Express have only `url`. */
  get target(): string {
    return (this.request as Partial<Request>).originalUrl ?? this.request.url
  }

  get path(): string {
    return pathOf(this.target)
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
