import type { Decision } from '@halt/core'
import { runCallback, type CallbackSettings, type Outcome, answerIfUnanswered } from '@halt/core/http'
import type { NextFunction, Request, Response } from 'express'

import { answer } from './response.ts'

/** What a custom answer gets. */
export interface LimitedContext {
  readonly req: Request
  readonly res: Response
  readonly next: NextFunction
}

/** Answers a refused request instead of the default body, or calls `next`. */
export type OnLimited = (decision: Decision, context: LimitedContext) => unknown

/** Lets the app answer a refusal; where it fails to, or answers nothing in time, the default answer is sent. */
export function answerBy(
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
    // A request that goes on is no refusal any more; an error is still answered as one.
    if (error === undefined || error === 'route' || error === 'router') takeBack(outcome, res, before)
    next(...args)
  }
  // So that `res.json(…)` alone is a refusal.
  if (!res.headersSent) res.statusCode = outcome.status
  const custom = (): unknown => onLimited(decision, { req, res, next: passOn })
  const finish = ({ failed }: { readonly failed: boolean }): void => {
    // Who has passed the request on has nothing left to answer.
    if (failed) return isPassedOn ? undefined : answer(outcome, res)
    answerIfUnanswered(
      caretaker,
      () => isPassedOn || res.headersSent || res.closed,
      () => answer(outcome, res),
    )
  }
  const answered = runCallback(caretaker, 'onLimited', 'Such a request gets the default answer.', custom)
  if ('then' in answered) void answered.then(finish)
  else finish(answered)
}

/** Makes a response as if it had not been refused, where nobody has changed it since. */
function takeBack({ status, headers }: Outcome, res: Response, before: number): void {
  if (res.headersSent) return
  if (res.statusCode === status) res.statusCode = before
  for (const name of ['Retry-After', 'Cache-Control'])
    if (res.getHeader(name) === headers[name]) res.removeHeader(name)
}
