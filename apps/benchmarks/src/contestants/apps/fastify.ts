import rateLimit from '@fastify/rate-limit'
import { halt } from '@halt/fastify'
import { fastify, type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'

import { BODY, HEADERS, haltOptions, LIMIT, type Place, type StartApp, WINDOW_MS } from './app.ts'

const plugins: Record<string, (app: FastifyInstance, place: Place) => Promise<unknown>> = {
  bare: async () => {},
  'three headers': async app =>
    app.addHook('onRequest', (_request, reply, done) => {
      for (const [name, value] of HEADERS) void reply.header(name, value)
      done()
    }),
  halt: async (app, place) => app.register(halt, haltOptions(place)),
  '@fastify/rate-limit': async (app, place) =>
    app.register(rateLimit, {
      max: LIMIT,
      timeWindow: WINDOW_MS,
      ...(place === undefined ? {} : { redis: new Redis(place) }),
    }),
}

export const names: readonly string[] = Object.keys(plugins)

/** Starts a Fastify app with one of the plugins. */
export function start(name: string): StartApp {
  return async (port, place) => {
    const app = fastify()
    await plugins[name]?.(app, place)
    app.get('/', async () => BODY)
    await app.listen({ port, host: '127.0.0.1' })
  }
}
