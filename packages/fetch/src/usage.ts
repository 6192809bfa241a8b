import type { Limiter } from '@halt/core'
import { checkLimiter, usageOf } from '@halt/core/http'

import { type FetchEvent, readArguments } from './handler-arguments.ts'
import type { HaltOptions } from './options.ts'
import { addressSource } from './platforms.ts'
import { FetchView } from './view.ts'

/**
 * Makes a handler that tells each client what it has left of its own limits. It charges nothing.
 *
 * @param options `clientIp`: the one that {@link halt} got
 * @throws HaltError `HALT_E_LIMITER`
 * @example
 * export const GET = usage(limiter, { clientIp: 'vercel' })
 */
export function usage<R extends Request = Request, C = unknown>(
  limiter: Limiter<R>,
  { clientIp }: Pick<HaltOptions<R, C>, 'clientIp'> = {},
): (request: R | FetchEvent, context?: C) => Promise<Response> {
  checkLimiter(limiter)
  const source = addressSource(clientIp)
  return async (given, context) => {
    const call = readArguments(given, context)
    const view = new FetchView(call.request, call.context, source, undefined, limiter.warn)
    const { headers, body } = await usageOf(limiter, view)
    return new Response(JSON.stringify(body), { headers: { ...headers } })
  }
}
