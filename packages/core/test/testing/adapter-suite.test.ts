// The smallest adapter there can be, on plain Node: what the suite asks of one, and what `guard` does for it.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createServer2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'

import {
  watchResponse,
  applyHeaders,
  runCallback,
  answerIfUnanswered,
  guard,
  type Outcome,
  type RequestView,
  toView,
  type HeaderTarget,
} from '../../src/http/index.ts'
import {
  type AdapterUnderTest,
  adapterSuite,
  type Reply,
  ReferenceStore,
  ROUTES,
  type Route,
  type Setup,
  type SuiteOptions,
} from '../../src/testing/index.ts'

type Halted = IncomingMessage & { halt?: Outcome['decision']; user?: { id: string } }

const adapter: AdapterUnderTest = {
  name: 'plain Node',
  early: true,
  connect,
  http2: (url, options) => connectHttp2(url, options),
  header: (request: IncomingMessage, name) => request.headers[name] as string | undefined,
  status: (response: ServerResponse) => response.statusCode,
  answer: (response: ServerResponse, { status = response.statusCode, body }: Partial<Reply>) =>
    response.writeHead(status).end(body),
  async serve(setup) {
    const sockets = new Set<{ destroy(): unknown }>()
    const answer = serve(setup)
    const server = setup.http2
      ? createServer2((req, res) => void answer(req as never, res as never))
      : createServer((req, res) => void answer(req, res))
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
  },
}

function serve({
  guards,
  handle,
  headers,
  early,
}: Setup): (req: Halted, res: ServerResponse) => Promise<void> {
  const mounted = guards.map(({ at, options }) => ({ at, pass: passing(options) }))
  return async (req, res) => {
    const id = req.headers['x-user']
    if (typeof id === 'string') req.user = { id }
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    if (early) res.write('early ')
    const route = match(req)
    for (const { at, pass } of mounted) {
      if ((at === undefined || at === route?.path) && !(await pass(req, res, at && route))) return
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

function passing(options: SuiteOptions) {
  const gate = guard(options.limiter, options)
  return async (req: Halted, res: ServerResponse, route: Route | undefined): Promise<boolean> => {
    const outcome = await gate.enter({ ...toView(req), route: route && routeOf(route) }, req)
    if (outcome.binding) req.halt = outcome.decision
    if (!res.headersSent) {
      const target: HeaderTarget = {
        get: name => res.getHeader(name)?.toString(),
        set: (name, value) => void res.setHeader(name, value),
        remove: name => res.removeHeader(name),
      }
      applyHeaders(outcome.headers, target, outcome.stale)
    }
    if (outcome.pass) {
      if (gate.needsResponse) watchResponse(gate, outcome, res, res)
      return true
    }
    res.statusCode = outcome.status
    const custom = (): unknown => options.onLimited?.(outcome.decision as never, res)
    const { failed } = await runCallback(options.limiter, 'onLimited', '', custom)
    if (res.headersSent) res.destroy()
    else {
      const answer = (): void =>
        void res
          .writeHead(outcome.status, { 'Content-Type': outcome.body?.type ?? '' })
          .end(outcome.body?.text)
      if (failed || options.onLimited === undefined) answer()
      else answerIfUnanswered(options.limiter, () => res.headersSent, answer)
    }
    return false
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

function routeOf({ method, path }: Route): RequestView['route'] {
  return method === 'ALL' ? { pattern: path, method } : path
}

adapterSuite({ describe, expect, it }, adapter, [
  { name: 'a store that answers at once', make: ({ now }) => new ReferenceStore(now) },
  {
    name: 'a store that answers later',
    make: ({ now }) => {
      const store = new ReferenceStore(now)
      return { evaluate: async group => store.evaluate(group), forget: counters => store.forget(counters) }
    },
  },
])
