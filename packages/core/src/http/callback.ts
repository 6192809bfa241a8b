import { callInTime, warnOfCallback } from '../base/callbacks.ts'
import { messageOf } from '../base/errors.ts'
import { afterFreeTime } from '../base/free-time.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'

/** What {@link runCallback} needs of a limiter. */
export type CallbackSettings = Pick<RateLimiter<never>, 'warn' | 'callbackTimeout'>

/** What a user's function gave, or that it failed: threw, rejected, took too long. */
export type CallResult<T> = { readonly failed: false; readonly value: T } | { readonly failed: true }

/**
 * Calls a user's function within the time that one may take. What it throws, rejects or never gives becomes
 * `{ failed: true }` and one warning, never an error in a request.
 *
 * @param fix what follows for the request, told in the warning
 */
export function runCallback<T>(
  { warn, callbackTimeout }: CallbackSettings,
  name: string,
  fix: string,
  call: () => T | Promise<T>,
): CallResult<T> | Promise<CallResult<T>> {
  return callInTime<T, CallResult<T>>(
    call,
    callbackTimeout,
    value => ({ failed: false, value }),
    error => {
      warnOfCallback(warn, `${name} failed: ${messageOf(error)}.`, fix)
      return { failed: true }
    },
  )
}

/**
 * Answers in the place of an `onLimited` that has returned and answers nothing within the time that a callback may take: a
 * request is never left waiting.
 */
export function answerIfUnanswered(
  { warn, callbackTimeout }: CallbackSettings,
  isAnswered: () => boolean,
  answer: () => void,
): void {
  if (isAnswered()) return
  afterFreeTime(callbackTimeout, () => {
    if (isAnswered()) return
    const message = `onLimited sent no answer within ${callbackTimeout} ms.`
    warnOfCallback(warn, message, 'Such a request gets the default answer.')
    answer()
  })
}
