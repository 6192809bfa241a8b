import type { FastifyRequest } from 'fastify'
import type { Context } from 'hono'
import express, { type Request as ExpressRequest } from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createServer } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'

import { type LimitState, loadShedder, type ShedderState, type Tier } from '../src/index.ts'

const shedder = loadShedder({ priority: request => (request.headers['x-job'] ? 'batch' : 'normal') })

createServer(shedder.wrap(express()))
createServer(shedder.wrap((request, response) => response.end(request.url)))
createHttp2Server(
  shedder.wrap((request: Http2ServerRequest, response: Http2ServerResponse) =>
    response.end(request.authority),
  ),
)
express().use(shedder.express)
void Fastify().register(shedder.fastify)
void Fastify({ http2: true }).register(shedder.fastify, { hook: 'preHandler' })
new Hono().use(shedder.hono)
new Hono<{ Variables: { user: string } }>().use('/api/*', shedder.hono)
const handler: (request: Request) => Response | Promise<Response> = shedder.fetch(() => new Response())
const platform = shedder.fetch((_request: Request, { id }: { id: number }) => new Response(String(id)))
void platform(new Request('http://x'), { id: 1 })
// As handlers of Bun after an upgrade to a WebSocket.
const upgrading: (request: Request) => Response | undefined | Promise<Response | undefined> = shedder.fetch(
  request => (request.headers.has('upgrade') ? undefined : new Response()),
)
void upgrading
// @ts-expect-error a text is no response
shedder.fetch(() => 'done')
// @ts-expect-error the platform's argument is missing
void platform(new Request('http://x'))
void handler

loadShedder({
  priority: (request: ExpressRequest): Tier => (request.path === '/pay' ? 'critical' : 'normal'),
})
loadShedder({
  priority: (request: FastifyRequest) => (request.routeOptions.url === '/' ? 'critical' : 'batch'),
})
loadShedder({ priority: (context: Context) => (context.req.path === '/' ? 'critical' : 'batch') })
// @ts-expect-error there is no such tier
loadShedder({ priority: 'high' })
// @ts-expect-error there is no number to set
loadShedder({ limit: 100 })

const state: ShedderState = shedder.state
const limits: readonly LimitState[] = state.limits
const off: () => void = shedder.on(
  'calm',
  ({ refusedMeanwhile, sheddingMs }) => refusedMeanwhile + sheddingMs,
)
// @ts-expect-error there is no such event
shedder.on('done', () => {})
void [limits, off]
