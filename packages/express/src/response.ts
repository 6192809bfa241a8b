import { applyHeaders, type HeaderTarget, type Outcome } from '@halt/core/http'
import type { Request, Response } from 'express'

import { hasDecisionProperty } from './decision-property.ts'

/** Shows a decision on the request and in the headers, if it is the tightest so far. */
export function showDecision(outcome: Outcome, req: Request, res: Response): void {
  if (!outcome.binding) return
  if (!hasDecisionProperty(req)) req.halt = outcome.decision
  if (!res.headersSent) applyHeaders(outcome.headers, new ResponseHeaders(res), outcome.stale)
}

/** The headers of a response. */
class ResponseHeaders implements HeaderTarget {
  readonly #response: Response

  constructor(response: Response) {
    this.#response = response
  }

  get(name: string): string | undefined {
    return this.#response.getHeader(name)?.toString()
  }

  set(name: string, value: string): void {
    this.#response.setHeader(name, value)
  }

  remove(name: string): void {
    this.#response.removeHeader(name)
  }
}

/** Answers with a refusal. */
export function sendRefusal({ status, body }: Outcome, res: Response): void {
  if (!res.headersSent) {
    // In Node's own words: the middleware may stand in another server than Express's.
    res.statusCode = status
    res.setHeader('Content-Type', body?.type ?? 'text/plain; charset=utf-8')
    res.end(body?.text)
  }
  // Something before began an answer that the handler was to end, and the handler is not asked: as Express does then.
  else if (!res.writableEnded) res.destroy()
}
