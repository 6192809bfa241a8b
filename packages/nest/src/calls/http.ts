import { continues, type HeaderBag, pathOf, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { routeOf } from './route.ts'

/** What Halt looks at of an Express or a Fastify request. */
export interface PlatformRequest {
  readonly method: string
  readonly url: string
  readonly originalUrl?: string
  readonly headers: HeaderBag
  readonly httpVersion?: string
  readonly socket?: { readonly remoteAddress?: string } | null
  /** Express. */
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown; readonly stack?: unknown }
  readonly app?: { enabled?(setting: string): boolean }
  readonly res?: object
  /** Fastify. */
  readonly raw?: { readonly httpVersion?: string }
  readonly routeOptions?: { readonly url?: string; readonly method?: string | readonly string[] }
  readonly ips?: unknown
}

/** An HTTP request as Halt sees it. One object, no closures: it is made for every request. */
export class HttpView implements RequestView {
  readonly method: string
  readonly path: string
  readonly ip: string | undefined
  readonly headers: HeaderBag
  readonly request: PlatformRequest
  readonly context: ExecutionContext

  constructor(request: PlatformRequest, context: ExecutionContext) {
    this.method = request.method
    this.path = pathOf(request.originalUrl ?? request.url)
    // Not request.ip: that is what the platform makes of forwarding headers.
    this.ip = request.socket?.remoteAddress
    this.headers = request.headers
    this.request = request
    this.context = context
  }

  get httpVersion(): string | undefined {
    return httpVersionOf(this.request)
  }

  get hasBody(): boolean {
    return continues(this.request.raw ?? this.request)
  }

  get route(): RequestView['route'] {
    return routeOf(this.request, this.context)
  }
}

/** The version of HTTP that the peer speaks. */
export function httpVersionOf({ httpVersion, raw }: PlatformRequest): string | undefined {
  return httpVersion ?? raw?.httpVersion
}

/** Whether the platform is told of proxies. */
export function trustsProxies({ app, ips }: PlatformRequest): boolean {
  // A Fastify request has `ips` exactly when trustProxy is set; Express has it always, and a setting to ask for.
  return app?.enabled === undefined ? ips !== undefined : app.enabled('trust proxy')
}
