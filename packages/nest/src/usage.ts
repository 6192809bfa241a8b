import type { Limiter } from '@halt/core'
import { NO_ROUTE, type UsageAnswer, usageOf } from '@halt/core/http'

import { HttpView } from './calls/http-view.ts'
import type { PlatformRequest } from './calls/platform-request.ts'

/**
 * Tells the client of a request what it has left of its own limits, for a controller. It charges nothing. Answer with
 * `Cache-Control: no-store`.
 *
 * @param request the request of Express or Fastify (`@Req()`)
 * @example
 * @Get('usage') @SkipRateLimit() @Header('Cache-Control', 'no-store')
 * show(@Req() request: Request) { return usage(this.limiter, request) }
 */
export async function usage(limiter: Limiter<never>, request: object): Promise<UsageAnswer['body']> {
  const { ip, method, path, headers, httpVersion } = new HttpView(
    request as PlatformRequest,
    undefined as never,
  )
  const view = { ip, method, path, headers, httpVersion, route: NO_ROUTE, request }
  return (await usageOf(limiter as Limiter, view)).body
}
