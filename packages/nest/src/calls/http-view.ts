import { continues, type HeaderBag, pathOf, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { httpVersionOf, type PlatformRequest } from './platform-request.ts'
import { routeOf } from './route.ts'

/** The parts of an HTTP request that Halt reads. It is made for every request, so it has no closures. */
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
    // Do not read request.ip: the platform derives it from forwarding headers.
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
