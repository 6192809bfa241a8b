import type { Guard } from './guard.ts'
import type { Outcome } from './outcome.ts'
import { type DecidingResponse, onResponseDecision } from './response-decision.ts'
import { type EndingResponse, onResponseEnd } from './response-end.ts'

/** Node's own response, of HTTP/1 or HTTP/2. */
export type NodeResponse = EndingResponse & DecidingResponse

/**
 * Watches the response of an admitted request for a guard. Tells the guard when the application decides the response, and when
 * the response ends.
 *
 * @param response Node's own response
 * @param shown the argument of `chargeWhen`
 */
export function watchResponse<R, S>(
  guard: Guard<R, S>,
  outcome: Outcome,
  response: NodeResponse,
  shown: S,
): void {
  let isOpen = true
  const decide = (): void => {
    if (isOpen) guard.decided(outcome, shown)
    isOpen = false
  }
  if (guard.needsDecision) onResponseDecision(response, decide)
  onResponseEnd(response, isSent => {
    // A middleware may call response methods that it saved before they were wrapped.
    if (isSent && guard.needsDecision) decide()
    isOpen = false
    guard.leave(outcome)
  })
}
