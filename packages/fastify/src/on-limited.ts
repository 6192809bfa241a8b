import type { Decision } from '@halt/core'
import { runCallback, type CallbackSettings, type Outcome, answerIfUnanswered } from '@halt/core/http'

import type { LimitedContext, RefusalOptions } from './options.ts'
import { sendRefusal, watchAnswer } from './reply.ts'

const FIX = 'Such a request gets the default answer.'

/** Calls the `onLimited` option. Sends the default answer if it fails or answers nothing in time. */
export function callOnLimited(
  onLimited: NonNullable<RefusalOptions['onLimited']>,
  caretaker: CallbackSettings,
  outcome: Outcome,
  decision: Decision,
  { request, reply }: LimitedContext,
): void {
  void reply.code(outcome.status)
  const isAnswered = watchAnswer(reply)
  const custom = (): unknown => {
    const value = onLimited(decision, { request, reply })
    // Do not await the reply: it settles when it is sent, which may take longer than a callback may.
    return value === reply ? undefined : value
  }
  const byDefault = (): void => {
    if (!isAnswered()) sendRefusal(reply, outcome)
  }
  const finish = (result: { failed: true } | { failed: false; value: unknown }): void => {
    if (result.failed) byDefault()
    else if (result.value === undefined) answerIfUnanswered(caretaker, isAnswered, byDefault)
    else if (!isAnswered()) sendGiven(result.value)
  }
  const sendGiven = (value: unknown): void => {
    const sent = runCallback(caretaker, 'The answer of onLimited', FIX, () => void reply.send(value))
    if ('failed' in sent && sent.failed) byDefault()
  }
  const answered = runCallback(caretaker, 'onLimited', FIX, custom)
  if ('then' in answered) void answered.then(finish)
  else finish(answered)
}
