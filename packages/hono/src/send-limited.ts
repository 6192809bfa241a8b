import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import type { Context, Env } from 'hono'

import { refusalResponse, setHeaders, showDecision } from './response.ts'

/**
 * Makes the refusal that the guard of a request would have sent, for a handler that decides by itself.
 *
 * Status, dialect and format come from the `halt()` that decided the request last, or the defaults if there is none.
 *
 * @example
 * const decision = await limiter.check(viewOf(c, getConnInfo), { cost: 10 })
 * if (!decision.allowed) return sendLimited(c, decision)
 */
export function sendLimited<E extends Env>(c: Context<E>, decision: Decision): Response {
  const outcome = refusalFor(c, decision)
  showDecision(outcome, c)
  setHeaders(outcome, c)
  return refusalResponse(outcome, c)
}
