// Drives the adapter for the suite: the fixed API of ROUTES in a real server.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'

import { type AdapterUnderTest, ROUTES, type Route, type Served, type Setup } from '@halt/conformance'
import type { RequestView } from '@halt/core/http'

import { halt, type LimitedContext } from '../src/index.ts'

type Handler = (req: IncomingMessage & { user?: { id: string } }, res: ServerResponse) => Promise<void>

export const adapter: AdapterUnderTest = {
  name: 'plain Node',
  early: true,
  connect,
  http2: (url, options) => connectHttp2(url, options),
  header: (request: IncomingMessage, name) => request.headers[name] as string | undefined,
  status: (response: ServerResponse) => response.statusCode,
  answer: ({ res }: LimitedContext, { status = res.statusCode, body }) => res.writeHead(status).end(body),
  serve: async setup => listen(handlerOf(setup), setup.http2),
}

/** Serves on a free port of 127.0.0.1. */
export async function listen(handler: Handler, http2 = false): Promise<Served> {
  const sockets = new Set<{ destroy(): unknown }>()
  const server = http2
    ? createHttp2Server((req, res) => void handler(req as never, res as never))
    : createServer((req, res) => void handler(req, res))
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function handlerOf({ guards, handle, headers, early }: Setup): Handler {
  const mounted = guards.map(({ at, options }) => ({ at, limit: halt(options) }))
  return async (req, res) => {
    const id = req.headers['x-user']
    if (typeof id === 'string') req.user = { id }
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    // The guards begin when the client has been sent something.
    if (early) await new Promise<unknown>(resolve => res.write('early ', resolve))
    const route = match(req)
    for (const { at, limit } of mounted) {
      // A guard before all routes knows of no route.
      if (at === undefined && !(await limit(req, res))) return
      if (at !== undefined && at === route?.path && !(await limit(req, res, patternOf(route)))) return
    }
    if (route === undefined) return void res.writeHead(404).end()
    try {
      const { status, body } = await handle({ ...route, decision: req.halt })
      if (!res.headersSent) res.writeHead(status)
      res.end(body)
    } catch {
      res.writeHead(500).end()
    }
  }
}

function match({ method, url = '' }: IncomingMessage): Route | undefined {
  const path = url.split('?')[0] as string
  const verb = method === 'HEAD' ? 'GET' : method
  return ROUTES.find(
    route =>
      (route.method === 'ALL' || route.method === verb) &&
      new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path),
  )
}

function patternOf({ method, path }: Route): RequestView['route'] {
  return method === 'ALL' ? { pattern: path, method } : path
}
