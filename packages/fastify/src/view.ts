import { continues, type HeaderBag, matchedRoute, pathOf, type RequestView } from '@halt/core/http'
import type { FastifyRequest } from 'fastify'

/** The parts of a Fastify request that Halt reads. It is made for every request, so it has no closures. */
export class FastifyView implements RequestView {
  // Read at once, because a socket forgets its address when the client leaves.
  readonly ip: string | undefined
  readonly request: FastifyRequest

  constructor(request: FastifyRequest) {
    // Do not read request.ip: trustProxy derives it from headers, and a number there means different things in different
    // versions. A destroyed HTTP/2 stream has no socket.
    this.ip = (request.raw.socket as { remoteAddress?: string } | undefined)?.remoteAddress
    this.request = request
  }

  get method(): string {
    return this.request.raw.method ?? 'GET'
  }

  /** The URL before rewriteUrl. Read it from `raw`, because the getter of Fastify writes to the request. */
  get target(): string {
    return (this.request.raw as { originalUrl?: string }).originalUrl ?? this.request.url
  }

  get path(): string {
    return pathOf(this.target)
  }

  /** Node builds this object at the first access, and most checks do not need it. */
  get headers(): HeaderBag {
    return this.request.headers
  }

  get httpVersion(): string | undefined {
    return this.request.raw.httpVersion
  }

  get hasBody(): boolean {
    return continues(this.request.raw)
  }

  /** The pattern that matched, prefixes included. Read on demand, because Fastify builds an object for it. */
  get route(): RequestView['route'] {
    return matchedRoute(this.request)
  }
}
