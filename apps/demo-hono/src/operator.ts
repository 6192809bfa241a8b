import type { RateLimiter } from '@halt/core'
import type { Answer, Operator, Visit } from '@halt/demo-kit'
import { viewOf } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Handler, MiddlewareHandler } from 'hono'

import type { DemoEnv } from './demo-auth.ts'

/** Serves the metrics, before any limit counts the request. */
export function metricsPage(operator: Operator): MiddlewareHandler<DemoEnv> {
  return async (c, next) => {
    const answer = await operator.metrics(visitOf(c))
    return answer === undefined ? next() : responseOf(answer)
  }
}

/** Serves `/debug/explain`: why this request would be allowed or refused. */
export function explainRoute(operator: Operator, limiter: RateLimiter<Context<DemoEnv>>): Handler<DemoEnv> {
  return async c =>
    responseOf(await operator.explain(visitOf(c), () => limiter.explain(viewOf(c, getConnInfo))))
}

function visitOf(c: Context<DemoEnv>): Visit {
  const { pathname, search } = new URL(c.req.url)
  return {
    method: c.req.method,
    url: pathname + search,
    ip: getConnInfo(c).remote.address,
    header: name => c.req.header(name),
  }
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
