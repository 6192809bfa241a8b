import { continues, type HeaderBag, pathOf, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { httpVersionOf, type PlatformRequest, rawRequestOf } from './platform-request.ts'
import { routeOf } from './route.ts'

/** The parts of an HTTP request that Halt reads. It is made for every request, so it has no closures. */
export class HttpView implements RequestView {
  // Read at once, because a socket forgets its address when the client leaves.
  readonly ip: string | undefined
  readonly request: PlatformRequest
  readonly context: ExecutionContext

  constructor(request: PlatformRequest, context: ExecutionContext) {
    // Do not read request.ip: the platform derives it from forwarding headers. Express reads the socket of the response anyway,
    // and not the socket of the request.
    const { socket } = request.res ?? request
    this.ip = (socket ?? request.socket)?.remoteAddress
    this.request = request
    this.context = context
  }

  get method(): string {
    return this.request.method
  }

  get target(): string {
    return this.request.originalUrl ?? this.request.url
  }

  get path(): string {
    return pathOf(this.target)
  }

  get headers(): HeaderBag {
    return this.request.headers
  }

  get httpVersion(): string | undefined {
    return httpVersionOf(this.request)
  }

  get hasBody(): boolean {
    return continues(rawRequestOf(this.request))
  }

  get route(): RequestView['route'] {
    return routeOf(this.request, this.context)
  }
}
