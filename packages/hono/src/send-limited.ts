import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import type { Context, Env } from 'hono'

import { setHeaders, refusalResponse, showDecision } from './response.ts'

/**
 * The answer that the guard before would have given: for a handler that decided by itself.
 *
 * The status, dialect and format are those of the `halt()` that decided the request last, the defaults without one.
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
