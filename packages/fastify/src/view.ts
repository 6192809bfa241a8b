import { continues, type HeaderBag, matchedRoute, pathOf, type RequestView } from '@halt/core/http'
import type { FastifyRequest } from 'fastify'

/** A Fastify request as Halt sees it. One object, no closures: it is made for every request. */
export class FastifyView implements RequestView {
  readonly method: string
  readonly path: string
  readonly ip: string | undefined
  readonly request: FastifyRequest

  constructor(request: FastifyRequest) {
    this.method = request.method
    // What rewriteUrl was given. Fastify's own getter writes to the request.
    this.path = pathOf((request.raw as { originalUrl?: string }).originalUrl ?? request.url)
    // Not request.ip: that is what trustProxy makes of headers, and numbers changed their meaning between versions.
    // A destroyed HTTP/2 stream has no socket.
    this.ip = (request.raw.socket as { remoteAddress?: string } | undefined)?.remoteAddress
    this.request = request
  }

  /** Node makes an object of them when it is first asked; most checks need none. */
  get headers(): HeaderBag {
    return this.request.headers
  }

  get httpVersion(): string | undefined {
    return this.request.raw.httpVersion
  }

  get hasBody(): boolean {
    return continues(this.request.raw)
  }

  /** The pattern that matched, prefixes included. Fastify builds an object to answer, so it is asked on demand. */
  get route(): RequestView['route'] {
    return matchedRoute(this.request)
  }
}
