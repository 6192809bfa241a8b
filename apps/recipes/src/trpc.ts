import { type Decision, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { initTRPC, TRPCError } from '@trpc/server'
import { createHTTPServer, type CreateHTTPContextOptions } from '@trpc/server/adapters/standalone'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'

const limiter = new RateLimiter<IncomingMessage>({
  store: new InMemoryStore(),
  policy: { name: 'procedures', limit: 20, window: '1h', keyStrategy: 'user' },
  userId: req => req.headers['x-user']?.toString(), // stands for your authentication
  exemptPrivateIps: false,
})

class Refused extends TRPCError {
  readonly retryAfter: number
  constructor({ retryAfter }: Decision) {
    super({ code: 'TOO_MANY_REQUESTS', message: `Too many requests. Retry after ${retryAfter} s.` })
    this.retryAfter = retryAfter
  }
}

const t = initTRPC
  .context<CreateHTTPContextOptions>()
  .meta<{ cost: number }>()
  .create({
    errorFormatter: ({ shape, error }) => ({
      ...shape,
      data: { ...shape.data, retryAfter: error instanceof Refused ? error.retryAfter : undefined },
    }),
  })

const limited = t.procedure.use(async ({ ctx, meta, next }) => {
  const decision = await limiter.check(ctx.req, { cost: meta?.cost ?? 1 })
  if (!decision.allowed) throw new Refused(decision)
  return next({ ctx: { halt: decision } })
})

const router = t.router({
  hello: limited
    .input(z.string())
    .query(({ input, ctx }) => ({ text: `hello ${input}`, left: ctx.halt.remaining })),
  report: limited.meta({ cost: 10 }).mutation(({ ctx }) => ({ left: ctx.halt.remaining })),
})
export type Router = typeof router

createHTTPServer({
  router,
  createContext: given => given,
  responseMeta({ errors }) {
    const waits = errors.flatMap(error => (error instanceof Refused ? [error.retryAfter] : []))
    return waits.length > 0 ? { headers: { 'Retry-After': String(Math.max(...waits)) } } : {}
  },
}).listen(3000)
