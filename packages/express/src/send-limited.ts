import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import type { Request, Response } from 'express'

import { sendRefusal, showDecision } from './response.ts'

/**
 * Answers a request as the guard before it would have: for a handler that decided by itself.
 *
 * The status, dialect and format are those of the `halt()` that decided the request last, the defaults without one.
 *
 * @example
 * const decision = await limiter.check(req, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ req, res }, decision)
 */
export function sendLimited(
  { req, res }: { readonly req: Request; readonly res: Response },
  decision: Decision,
): void {
  const outcome = refusalFor(req, decision)
  showDecision(outcome, req, res)
  sendRefusal(outcome, res)
}
