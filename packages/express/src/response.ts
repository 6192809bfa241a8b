import { applyHeaders, type HeaderTarget, type Outcome } from '@halt/core/http'
import type { Request, Response } from 'express'

import { hasDecisionProperty } from './decision-property.ts'

/** Sets `req.halt` and the headers, if the decision is the tightest so far. */
export function showDecision(outcome: Outcome, req: Request, res: Response): void {
  if (!outcome.binding) return
  if (!hasDecisionProperty(req)) req.halt = outcome.decision
  if (!res.headersSent) applyHeaders(outcome.headers, new ResponseHeaders(res), outcome.stale)
}

/** The headers of a response, as Halt reads and sets them. */
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
