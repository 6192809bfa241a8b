import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'

import { type FetchEvent, readArguments } from './handler-arguments.ts'
import { refusalResponse } from './response.ts'

/**
 * Makes the refusal that the guard of a request would have sent, for a handler that decides by itself.
 *
 * Status, dialect and format come from the `halt()` that decided the request last, or the defaults if there is none.
 *
 * @example
 * const decision = await limiter.check(viewOf(request, 'vercel'), { cost: 10 })
 * if (!decision.allowed) return sendLimited(request, decision)
 */
export function sendLimited(request: Request | FetchEvent, decision: Decision): Response {
  return refusalResponse(refusalFor(readArguments(request).request, decision))
}
