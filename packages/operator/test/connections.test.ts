// A call that is refused must leave its connection free for the next request, which may be another visitor's behind a proxy.
import { once } from 'node:events'
import { Agent, createServer, request as open, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import Fastify from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'

import { startWebProxy } from '../../express/test/web-proxies.ts'
import { operator, type OperatorHandler } from '../src/index.ts'

const undone: (() => unknown)[] = []
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo()
})

function makePage(): OperatorHandler<unknown> {
  const store = new InMemoryStore()
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy: { name: 'api', limit: 5, window: 60 } })
  const authorize = ({ headers }: Request): string | undefined => headers.get('x-name') ?? undefined
  const page = operator({ limiters: [limiter], control, authorize })
  undone.push(
    () => page.close(),
    () => control.close(),
  )
  return page
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undone.push(() => void (server.closeAllConnections(), server.close()))
  return (server.address() as AddressInfo).port
}

const mounts: readonly (readonly [string, (page: OperatorHandler<unknown>) => Promise<number>])[] = [
  [
    'Express',
    page => {
      const app = express()
      app.use('/halt', page.node)
      app.get('/', (_req, res) => void res.send('hello'))
      return serve(app)
    },
  ],
  [
    'Express behind body parsers, as Nest sets them up',
    page => {
      const app = express()
      app.use(express.json(), express.urlencoded({ extended: true }))
      app.use('/halt', page.node)
      app.get('/', (_req, res) => void res.send('hello'))
      return serve(app)
    },
  ],
  [
    'node:http',
    page => serve((req, res) => (req.url?.startsWith('/halt') ? page.node(req, res) : res.end('hello'))),
  ],
  [
    'Fastify',
    async page => {
      const app = Fastify()
      await app.register(page.fastify, { prefix: '/halt' })
      app.get('/', () => 'hello')
      undone.push(() => app.close())
      return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
    },
  ],
]

/** The configuration of each proxy, which keeps one connection to the app for everybody. */
const PROXIES = {
  nginx: `
    upstream app { server 127.0.0.1:3000; keepalive 1; }
    server {
      listen 8080;
      location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }`,
  haproxy: `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind :8080
  default_backend app
backend app
  http-reuse always
  server app 127.0.0.1:3000
`,
} as const

/** One request on a connection of the agent. Resolves to its status, or to what went wrong. */
function ask(
  port: number,
  agent: Agent | undefined,
  path: string,
  body?: Buffer,
  headers = {},
): Promise<number | string> {
  return new Promise(resolve => {
    const options = { port, host: '127.0.0.1', path, agent, method: body ? 'POST' : 'GET', headers }
    const asked = open(options, answer => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    })
    asked.on('error', ({ message }) => resolve(message))
    asked.setTimeout(5_000, () => asked.destroy(new Error('no answer')))
    asked.end(body)
  })
}

const LONG = Buffer.alloc(150_000, 120)

describe.each(mounts)('on %s', (_name, mount) => {
  it('a refused POST leaves its connection free, whether its length is told or not', async () => {
    const port = await mount(makePage())
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    undone.push(() => agent.destroy())
    const own = { 'x-name': 'ann', 'x-halt-operator': '1' }
    for (const headers of [
      {},
      { 'transfer-encoding': 'chunked' },
      own,
      { ...own, 'transfer-encoding': 'chunked' },
    ]) {
      const status = 'x-name' in headers ? 400 : 401
      expect(await ask(port, agent, '/halt/api/act', LONG, headers)).toBe(status)
      expect(await ask(port, agent, '/')).toBe(200)
    }
  })

  it('a body without end is cut off', async () => {
    const port = await mount(makePage())
    const asked = open({ port, host: '127.0.0.1', path: '/halt/api/act', method: 'POST' })
    const closed = new Promise<void>(resolve => {
      asked.on('close', resolve).on('error', () => {})
    })
    let isOpen = true
    void closed.then(() => (isOpen = false))
    let sent = 0
    for (; isOpen && sent < 64; sent++) {
      if (!asked.write(Buffer.alloc(1 << 20)))
        await Promise.race([once(asked, 'drain').catch(() => {}), closed])
    }
    await closed
    expect(sent).toBeLessThan(64)
  })
})

describe.each(['nginx', 'haproxy'] as const)('behind %s', name => {
  it.each(mounts)('a refused POST of 150 kB holds up none of 40 visitors on %s', async (_name, mount) => {
    const proxy = await startWebProxy(name, PROXIES[name], await mount(makePage()))
    undone.push(proxy.stop)
    for (let i = 0; i < 40; i++) {
      expect(await ask(proxy.port, undefined, '/halt/api/act', LONG)).toBe(401)
      expect(await ask(proxy.port, undefined, '/')).toBe(200)
    }
  })
})
