import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Answer, Visit } from './answer.ts'
import type { Operator } from './operator.ts'

/** Reads a Node request, as Express and Nest pass it on. */
export function visitOf(req: IncomingMessage & { originalUrl?: string }): Visit {
  return {
    method: req.method ?? 'GET',
    url: req.originalUrl ?? req.url ?? '/',
    ip: req.socket.remoteAddress,
    header: name => req.headers[name]?.toString(),
  }
}

/** Sends an answer. */
export function send({ status, headers, body }: Answer, res: ServerResponse): void {
  res.writeHead(status, headers).end(body)
}

/** Middleware for the metrics, for Express, Nest and Connect. */
export function metricsPage(
  operator: Operator,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  return (req, res, next) => {
    operator.metrics(visitOf(req)).then(answer => (answer === undefined ? next() : send(answer, res)), next)
  }
}
