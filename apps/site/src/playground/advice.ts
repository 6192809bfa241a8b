import type { Decision } from '@halt/core'

/**
 * The sentences that tell a client what to do after an answer.
 *
 * @param countsRunning whether the policy that decided counts requests in flight
 */
export function adviceOn(decision: Decision | undefined, countsRunning = false): string {
  if (decision === undefined) return 'Nothing was sent yet.'
  const { allowed, remaining, retryAfter, reason, policy } = decision
  if (reason === 'exempt') return 'Go on: this request is exempt, so nothing counts it.'
  if (allowed && remaining > 0)
    return `Go on: ${remaining} more ${remaining === 1 ? 'unit is' : 'units are'} left now.`
  if (allowed) return 'This was the last unit for now. Slow down, or the next request is refused.'
  if (retryAfter === Number.POSITIVE_INFINITY)
    return `Do not send it again: it costs more than ${policy} ever admits.`
  if (countsRunning)
    return `Wait until one of your requests has ended, or at most ${retryAfter} s, then send it again.`
  const wait = `Wait ${retryAfter} s, then send the same request again.`
  return reason === 'blocked'
    ? `${wait} The cool-down does not get longer meanwhile.`
    : `${wait} It passes then if nobody else asks.`
}
