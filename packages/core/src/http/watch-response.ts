import type { Guard } from './guard.ts'
import type { Outcome } from './outcome.ts'
import { type DecidingResponse, onResponseDecision } from './response-decision.ts'
import { type EndingResponse, onResponseEnd } from './response-end.ts'

/** A response of Node's, of HTTP/1 or HTTP/2. */
export type NodeResponse = EndingResponse & DecidingResponse

/**
 * Tells a guard what becomes of an admitted request: when the application decides the response, and when the response is over.
 *
 * @param response Node's own
 * @param shown what `chargeWhen` gets
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
    // A middleware may have kept the methods of the response from before they were watched.
    if (isSent && guard.needsDecision) decide()
    isOpen = false
    guard.leave(outcome)
  })
}
