import type { Decision } from '@halt/core'
import { callUser, type Caretaker, type Outcome, unlessAnswered } from '@halt/core/http'

import type { LimitedContext, Manners } from './options.ts'
import { isSent, sendRefusal } from './reply.ts'

/** Lets the app answer a refusal; where it fails to, or answers nothing in time, the default answer is sent. */
export function answerBy(
  onLimited: NonNullable<Manners['onLimited']>,
  caretaker: Caretaker,
  outcome: Outcome,
  decision: Decision,
  { request, reply }: LimitedContext,
): void {
  void reply.code(outcome.status)
  let isHandled = false
  const custom = (): unknown => {
    const value = onLimited(decision, { request, reply })
    // A reply is a promise of being sent, which may take longer than a callback may.
    isHandled = value === reply
    return isHandled ? undefined : value
  }
  const finish = (result: { failed: true } | { failed: false; value: unknown }): void => {
    if (result.failed) sendRefusal(reply, outcome)
    else if (result.value !== undefined && !isSent(reply)) void reply.send(result.value)
    else if (!isHandled)
      unlessAnswered(
        caretaker,
        () => isSent(reply) || reply.raw.closed,
        () => sendRefusal(reply, outcome),
      )
  }
  const answered = callUser(caretaker, 'onLimited', 'Such a request gets the default answer.', custom)
  if ('then' in answered) void answered.then(finish)
  else finish(answered)
}
