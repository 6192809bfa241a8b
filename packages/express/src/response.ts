import type { Decision } from '@halt/core'
import {
  hasDecisionProperty,
  type HeaderPort,
  type Outcome,
  tellHeaders,
  runCallback,
  type CallbackSettings,
  answerIfUnanswered,
  refusalFor,
} from '@halt/core/http'
import type { Request, Response, NextFunction } from 'express'

/** Sets `req.halt` and the headers, if the decision is the tightest so far. */
export function showDecision(outcome: Outcome, req: Request, res: Response): void {
  if (!outcome.binding) return
  if (!hasDecisionProperty(req)) req.halt = outcome.decision
  // perf: test "inline caches"; the first read of `headersSent` of a response is slower than a whole check.
  try {
    tellHeaders(outcome, res, HEADERS)
  } catch (error) {
    // The answer has begun, so it is too late for headers.
    if ((error as { code?: unknown }).code !== 'ERR_HTTP_HEADERS_SENT') throw error
  }
}

const HEADERS: HeaderPort<Response> = {
  get: (res, name) => res.getHeader(name)?.toString(),
  set: (res, name, value) => void res.setHeader(name, value),
  remove: (res, name) => res.removeHeader(name),
}

/** Sends a refusal. */
export function sendRefusal({ status, body }: Outcome, res: Response): void {
  if (!res.headersSent) {
    // Use the methods of Node, because the middleware may run in a server other than Express.
    res.statusCode = status
    res.setHeader('Content-Type', body?.type ?? 'text/plain; charset=utf-8')
    res.end(body?.text)
  }
  // An earlier middleware began an answer that the handler would have ended. Close it, as Express does after an error.
  else if (!res.writableEnded) res.destroy()
}

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

/**
 * Answers a request with the refusal that its guard would have sent, for a handler that decides by itself.
 *
 * Status, dialect and format come from the `halt()` that decided the request last, or the defaults if there is none.
 *
 * @example
 * const decision = await limiter.check(req, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ req, res }, decision)
 */
export function sendLimited(
  { req, res }: { readonly req: Request; readonly res: Response; readonly next?: NextFunction | undefined },
  decision: Decision,
): void {
  const outcome = refusalFor(req, decision)
  showDecision(outcome, req, res)
  sendRefusal(outcome, res)
}
