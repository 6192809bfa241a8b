import { hasDecisionProperty, type HeaderPort, type Outcome, tellHeaders } from '@halt/core/http'
import type { Request, Response } from 'express'

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
