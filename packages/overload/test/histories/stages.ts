// Servers of each kind before whose handlers a shedder stands.
import { serve as serveHono } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'

import type { LoadShedder } from '../../src/load-shedder.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Makes a server that hands each admitted request to a handler. */
export interface Stage {
  readonly name: string
  readonly isHttp2: boolean
  readonly methods: readonly string[]
  start(shedder: LoadShedder, handler: Handler): Promise<Server>
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']

async function listening(server: Server): Promise<Server> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  return server
}

function expressOf(shedder: LoadShedder, handler: Handler): express.Express {
  const app = express()
  app.use(async (_request, _response, next) => {
    await Promise.resolve()
    next()
  })
  app.use(shedder.express)
  app.use(shedder.express)
  app.use((request, response) => handler(request, response))
  return app
}

async function fastifyOf(
  shedder: LoadShedder,
  handler: Handler,
  options: { readonly http2?: true },
  hook: 'onRequest' | 'preHandler',
): Promise<Server> {
  const app = Fastify(options as object)
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  await app.register(shedder.fastify, { hook })
  app.all('/*', (request, reply) => {
    reply.hijack()
    handler(request.raw, reply.raw)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

export const STAGES: readonly Stage[] = [
  {
    name: 'node, HTTP/1',
    isHttp2: false,
    methods: METHODS,
    start: (shedder, handler) => listening(createServer(shedder.wrap(handler))),
  },
  {
    name: 'node, HTTP/2',
    isHttp2: true,
    methods: METHODS,
    start: (shedder, handler) =>
      listening(createHttp2Server(shedder.wrap(handler as never) as never) as unknown as Server),
  },
  {
    name: 'express, middleware',
    isHttp2: false,
    methods: METHODS,
    start: (shedder, handler) => listening(createServer(expressOf(shedder, handler))),
  },
  {
    name: 'express, behind wrap',
    isHttp2: false,
    methods: METHODS,
    start: (shedder, handler) => listening(createServer(shedder.wrap(expressOf(shedder, handler)))),
  },
  {
    name: 'fastify, onRequest',
    isHttp2: false,
    methods: METHODS,
    start: (shedder, handler) => fastifyOf(shedder, handler, {}, 'onRequest'),
  },
  {
    name: 'fastify, preHandler, HTTP/2',
    isHttp2: true,
    methods: METHODS,
    start: (shedder, handler) => fastifyOf(shedder, handler, { http2: true }, 'preHandler'),
  },
  {
    name: 'hono',
    isHttp2: false,
    // For HEAD Hono makes a response of its own.
    methods: METHODS.filter(method => method !== 'HEAD'),
    start(shedder, handler) {
      const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>()
      app.use(shedder.hono as never)
      app.all('*', context => {
        handler(context.env.incoming, context.env.outgoing)
        // Where a server of Hono ran before, that response is one of its own, which it would write. The copy is one of Node's.
        return RESPONSE_ALREADY_SENT.clone()
      })
      return listening(serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
    },
  },
]
