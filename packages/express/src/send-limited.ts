import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import type { NextFunction, Request, Response } from 'express'

import { sendRefusal, showDecision } from './response.ts'

/**
 * Answers a request with the refusal that its guard would have sent, for a handler that decides by itself.
 *
 * Status, dialect and format come from the `halt()` that decided the request last, or the defaults if there is none.
 *
 * @example
 * const decision = await limiter.check(req, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ req, res }, decision)
 */
export function sendLimited(
  { req, res }: { readonly req: Request; readonly res: Response; readonly next?: NextFunction | undefined },
  decision: Decision,
): void {
  const outcome = refusalFor(req, decision)
  showDecision(outcome, req, res)
  sendRefusal(outcome, res)
}
