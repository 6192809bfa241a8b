import rateLimit from '@fastify/rate-limit'
import { halt } from '@halt/fastify'
import { fastify, type FastifyInstance, type FastifyRequest, type RouteHandlerMethod } from 'fastify'
import { Redis } from 'ioredis'

import { CLIENT_HEADER } from '../../request.ts'
import { BODY, HEADERS, haltOptions, type MakeServer, type Scene, settled, WINDOW_MS } from './app.ts'

type Plugin = (app: FastifyInstance, scene: Scene) => Promise<unknown>

const plugins: Record<string, Plugin> = {
  bare: async () => {},
  'three headers': async app =>
    app.addHook('onRequest', (_request, reply, done) => {
      for (const [name, value] of HEADERS) void reply.header(name, value)
      done()
    }),
  halt: async (app, scene) => app.register(halt, haltOptions(scene, clientOf)),
  '@fastify/rate-limit': async (app, { place, countedBy, limit }) =>
    app.register(rateLimit, {
      max: limit,
      timeWindow: WINDOW_MS,
      ...(place === undefined ? {} : { redis: new Redis(place) }),
      ...(countedBy === 'header'
        ? { keyGenerator: (request: FastifyRequest) => clientOf(request) ?? 'unknown' }
        : {}),
    }),
}

function clientOf(request: FastifyRequest): string | undefined {
  return request.headers[CLIENT_HEADER] as string | undefined
}

const handlers: Record<Scene['handler'], RouteHandlerMethod> = {
  'at once': (_request, reply) => void reply.send(BODY),
  awaits: async () => {
    await settled
    return BODY
  },
}

/** Makes the server of a Fastify app with one of the plugins. */
export function make(name: string): MakeServer {
  return async scene => {
    const app = fastify()
    await (plugins[name] as Plugin)(app, scene)
    app.get('/', handlers[scene.handler])
    await app.ready()
    return app.server
  }
}
