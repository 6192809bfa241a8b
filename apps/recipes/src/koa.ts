import { type Decision, RateLimiter } from '@halt/core'
import { guard, toView, watchResponse } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import Koa, { type Middleware } from 'koa'
import type { IncomingMessage, ServerResponse } from 'node:http'

interface State {
  halt?: Decision | undefined
}

const limiter = new RateLimiter<IncomingMessage>({
  store: new InMemoryStore(),
  policy: { name: 'api', limit: 3, window: '1h' },
  exemptPrivateIps: false,
})

function halt(): Middleware<State> {
  // The options of every adapter, except onLimited.
  const gate = guard<IncomingMessage, ServerResponse>(limiter, {
    headers: 'draft-8',
    chargeWhen: res => res.statusCode !== 304,
  })
  return async (ctx, next) => {
    const { req, res } = ctx
    const outcome = await gate.enter(toView(req), req)
    ctx.set({ ...outcome.headers })
    if (!outcome.pass) {
      ctx.status = outcome.status
      ctx.type = outcome.body?.type ?? 'text/plain'
      ctx.body = outcome.body?.text
      return
    }
    ctx.state.halt = outcome.decision
    if (gate.needsResponse) watchResponse(gate, outcome, res, res)
    try {
      await next()
    } catch (error) {
      // Koa removes all headers from the answer to an error, except those that the error has.
      if (error instanceof Error)
        Object.assign(error, { headers: { ...outcome.headers, ...headersOf(error) } })
      throw error
    }
  }
}

const headersOf = (error: Error & { headers?: Record<string, string> }): Record<string, string> =>
  error.headers ?? {}

const app = new Koa<State>()
app.silent = true // your own logger reports errors
app.use(halt())
app.use(ctx => {
  if (ctx.path === '/unchanged') ctx.status = 304
  else if (ctx.path === '/broken') ctx.throw(409, 'conflict')
  else ctx.body = { left: ctx.state.halt?.remaining }
})
app.listen(3000)
