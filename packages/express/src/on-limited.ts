import type { Decision } from '@halt/core'
import { runCallback, type CallbackSettings, type Outcome, answerIfUnanswered } from '@halt/core/http'
import type { NextFunction, Request, Response } from 'express'

import { sendRefusal } from './response.ts'

/** The second argument of `onLimited`. */
export interface LimitedContext {
  readonly req: Request
  readonly res: Response
  readonly next: NextFunction
}

/** The `onLimited` option: answers a refused request instead of the default body, or calls `next`. */
export type OnLimited = (decision: Decision, context: LimitedContext) => unknown

/** Calls the `onLimited` option. Sends the default answer if it fails or answers nothing in time. */
export function callOnLimited(
  onLimited: OnLimited,
  caretaker: CallbackSettings,
  outcome: Outcome,
  decision: Decision,
  { req, res, next }: LimitedContext,
): void {
  const before = res.statusCode
  let isPassedOn = false
  const passOn: NextFunction = (...args) => {
    isPassedOn = true
    const [error] = args as unknown[]
    // A request that is passed on is no longer a refusal. An error is still answered as one.
    if (error === undefined || error === 'route' || error === 'router') undoRefusal(outcome, res, before)
    next(...args)
  }
  // Set the status first, so that `res.json(…)` alone sends a refusal.
  if (!res.headersSent) res.statusCode = outcome.status
  const custom = (): unknown => onLimited(decision, { req, res, next: passOn })
  const refuse = (): void => {
    try {
      sendRefusal(outcome, res)
    } catch (error) {
      // A test may give a response without the methods of Node. Nobody would catch its error here.
      next(error)
    }
  }
  const finish = ({ failed }: { readonly failed: boolean }): void => {
    // If onLimited has passed the request on, there is nothing left to answer.
    if (failed) return isPassedOn ? undefined : refuse()
    answerIfUnanswered(caretaker, () => isPassedOn || res.headersSent || res.closed, refuse)
  }
  const answered = runCallback(caretaker, 'onLimited', 'Such a request gets the default answer.', custom)
  if ('then' in answered) void answered.then(finish)
  else finish(answered)
}

/** Removes the status and headers of a refusal from a response, unless the app has changed them since. */
function undoRefusal({ status, headers }: Outcome, res: Response, before: number): void {
  if (res.headersSent) return
  if (res.statusCode === status) res.statusCode = before
  for (const name of ['Retry-After', 'Cache-Control'])
    if (res.getHeader(name) === headers[name]) res.removeHeader(name)
}
