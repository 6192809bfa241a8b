import { callInTime, warnOfCallback } from '../base/callbacks.ts'
import { messageOf } from '../base/errors.ts'
import { afterFreeTime } from '../base/promises.ts'
import type { Limiter } from '../limiter/limiter.ts'

/** The part of a limiter that {@link runCallback} uses. */
export type CallbackSettings = Pick<Limiter, 'warn' | 'callbackTimeout'>

/** The result of a user's callback. It failed if it threw, rejected or took too long. */
export type CallResult<T> = { readonly failed: false; readonly value: T } | { readonly failed: true }

/**
 * Calls a user's callback within `callbackTimeout`. A callback that throws, rejects or does not settle gives `{ failed: true }`
 * and one warning, never an error in a request.
 *
 * @param consequence what becomes of the request after a failure, for the warning
 */
export function runCallback<T>(
  { warn, callbackTimeout }: CallbackSettings,
  name: string,
  consequence: string,
  call: () => T | Promise<T>,
): CallResult<T> | Promise<CallResult<T>> {
  return callInTime<T, CallResult<T>>(
    call,
    callbackTimeout,
    value => ({ failed: false, value }),
    error => {
      warnOfCallback(warn, `${name} failed: ${messageOf(error)}.`, consequence)
      return { failed: true }
    },
  )
}

/**
 * Answers a request when `onLimited` has returned but sends no answer within `callbackTimeout`, so that the request does not
 * wait forever.
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
