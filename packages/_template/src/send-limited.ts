import { refusalFor } from '@halt/core/http'
import type { Decision } from '@halt/core'

import type { LimitedContext } from './halt.ts'
import { answer, show } from './response.ts'

/**
 * Answers a request as the guard before it would have refused it. For handlers that decide by themselves.
 *
 * @example
 * const decision = await limiter.check(req, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ req, res }, decision)
 */
export function sendLimited({ req, res }: LimitedContext, decision: Decision): void {
  const outcome = refusalFor(req, decision)
  show(outcome, req, res)
  answer(outcome, res)
}
