import type { IncomingMessage, ServerResponse } from 'node:http'

import { type HeaderPort, type Outcome, tellHeaders } from '@halt/core/http'

/** Shows a decision on the request and in the headers, if it is the tightest so far. */
export function show(outcome: Outcome, req: IncomingMessage, res: ServerResponse): void {
  if (!outcome.binding) return
  req.halt = outcome.decision
  if (res.headersSent) return
  tellHeaders(outcome, res, HEADERS)
}

const HEADERS: HeaderPort<ServerResponse> = {
  get: (res, name) => res.getHeader(name)?.toString(),
  set: (res, name, value) => void res.setHeader(name, value),
  remove: (res, name) => res.removeHeader(name),
}

/** Answers with a refusal. */
export function answer({ status, body }: Outcome, res: ServerResponse): void {
  if (!res.headersSent)
    res.writeHead(status, { 'Content-Type': body?.type ?? 'text/plain; charset=utf-8' }).end(body?.text)
  // Something before the guard began an answer, which the handler was to end.
  else if (!res.writableEnded) res.destroy()
}
