import { getRequestListener, serve as serveHono } from '@hono/node-server'
import { RateLimiter } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { getEventListeners, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'

import type { LoadShedder } from '../src/load-shedder.ts'
import { serve, shedderOf, skippingLoop, until, Waiting } from './pinned.ts'

const waiting = new Waiting()
const closing: (() => unknown)[] = []

afterEach(async () => {
  waiting.letGo()
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Starts an app with the routes `/slow`, which waits, and `/quick`. Returns its address. */
type Start = (shedder: LoadShedder) => Promise<string>

const starts: Record<string, Start> = {
  async express(shedder) {
    const app = express()
    app.use(shedder.express)
    app.get('/slow', async (_request, response) => {
      await waiting.wait()
      response.send('done')
    })
    app.get('/quick', (_request, response) => void response.send('done'))
    const server = await serve(app)
    closing.push(server.close)
    return server.url
  },
  async 'express behind wrap and with its middleware'(shedder) {
    const app = express()
    app.use(shedder.express)
    app.get('/slow', async (_request, response) => {
      await waiting.wait()
      response.send('done')
    })
    app.get('/quick', (_request, response) => void response.send('done'))
    const server = await serve(shedder.wrap(app))
    closing.push(server.close)
    return server.url
  },
  async fastify(shedder) {
    const app = Fastify({ forceCloseConnections: true })
    await app.register(shedder.fastify)
    app.get('/slow', async () => {
      await waiting.wait()
      return 'done'
    })
    app.get('/quick', async () => 'done')
    closing.push(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async 'fastify in preHandler'(shedder) {
    const app = Fastify({ forceCloseConnections: true })
    await app.register(shedder.fastify, { hook: 'preHandler' })
    app.get('/slow', async () => {
      await waiting.wait()
      return 'done'
    })
    app.get('/quick', async () => 'done')
    closing.push(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async 'fastify behind wrap'(shedder) {
    const serverFactory = (handler: never): Server => createServer(shedder.wrap(handler))
    const app = Fastify({ serverFactory: serverFactory as never, forceCloseConnections: true })
    app.get('/slow', async () => {
      await waiting.wait()
      return 'done'
    })
    app.get('/quick', async () => 'done')
    closing.push(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async 'hono on Node'(shedder) {
    const app = honoApp(shedder)
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
    await new Promise<void>(resolve => void server.once('listening', resolve))
    closing.push(() => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
}

function honoApp(shedder: LoadShedder): Hono {
  const app = new Hono()
  app.use(shedder.hono)
  app.get('/slow', async context => {
    await waiting.wait()
    return context.text('done')
  })
  app.get('/quick', context => context.text('done'))
  return app
}

describe.each(Object.entries(starts))('%s', (_name, start) => {
  it('a middleware admits, refuses with a 503, and frees places of answers and of leavers once', async () => {
    const shedder = shedderOf(2)
    const url = await start(shedder)
    const ask = (path: string, init = {}): Promise<Response> => fetch(`${url}${path}`, init)
    const leaver = new AbortController()
    const first = ask('/slow')
    const left = ask('/slow', { signal: leaver.signal }).catch(() => undefined)
    await until(() => waiting.count === 2)
    const refused = await ask('/quick')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(await refused.json()).toMatchObject({ error: 'service_unavailable', reason: 'overloaded' })
    expect((await ask('/health')).status).toBe(404)
    leaver.abort()
    await left
    await until(() => shedder.state.inFlight === 1)
    expect((await ask('/quick')).status).toBe(200)
    waiting.letGo()
    expect(await (await first).text()).toBe('done')
    await until(() => shedder.state.inFlight === 0)
    expect(shedder.state).toMatchObject({ admitted: { normal: 3 }, refused: { normal: 1 } })
  })
})

describe.each([
  ['hono elsewhere', (shedder: LoadShedder) => (request: Request) => honoApp(shedder).fetch(request)],
  [
    'fetch',
    (shedder: LoadShedder) =>
      shedder.fetch(async (request: Request) => {
        if (request.url.endsWith('/slow')) await waiting.wait()
        return new Response('done')
      }),
  ],
])('%s', (_name, make) => {
  it('a handler admits, refuses, and frees the place of a client that leaves', async () => {
    const shedder = shedderOf(2)
    const handler = make(shedder)
    const leaver = new AbortController()
    const first = handler(new Request('http://x/slow'))
    const second = handler(new Request('http://x/slow', { signal: leaver.signal }))
    await until(() => waiting.count === 2)
    const refused = await handler(new Request('http://x/quick'))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([
      503,
      expect.stringMatching(/^[123]$/),
    ])
    leaver.abort()
    await until(() => shedder.state.inFlight === 1)
    expect((await handler(new Request('http://x/quick'))).status).toBe(200)
    waiting.letGo()
    await Promise.all([first, second])
    await until(() => shedder.state.inFlight === 0)
  })
})

describe('a Fetch handler and a middleware of one shedder', () => {
  const twice = (shedder: LoadShedder): Hono =>
    new Hono()
      .use(shedder.hono)
      .use(shedder.hono)
      .get('/', context => context.text(String(shedder.state.inFlight)))

  it('a Fetch handler and a middleware of one shedder count a request once', async () => {
    const shedder = shedderOf(1)
    const handler = shedder.fetch((request: Request) => twice(shedder).fetch(request))
    const request = new Request('http://x/')
    for (const ask of [handler, handler, (each: Request) => twice(shedder).fetch(each)]) {
      expect(await (await ask(request)).text()).toBe('1')
      await until(() => shedder.state.inFlight === 0)
    }
    expect(shedder.state.admitted.normal).toBe(3)
  })

  it('a Fetch handler and a middleware count a request once on Node, also behind `wrap`', async () => {
    const shedder = shedderOf(1)
    const app = twice(shedder)
    const guarded = shedder.fetch((request: Request, env: object) => app.fetch(request, env))
    const listener = getRequestListener(guarded as never)
    for (const each of [listener, shedder.wrap(listener)]) {
      const server = await serve(each as never)
      closing.push(server.close)
      const answer = await server.get()
      expect([answer.status, await answer.text()]).toEqual([200, '1'])
      await until(() => shedder.state.inFlight === 0)
    }
    expect(shedder.state.admitted.normal).toBe(2)
  })
})

describe('fetch', () => {
  it('fetch frees the place of a handler that throws or rejects, and passes the error on', async () => {
    const shedder = shedderOf(1)
    const inside: number[] = []
    const rejects = shedder.fetch(async () => {
      inside.push(shedder.state.inFlight)
      throw new Error('no')
    })
    await expect(rejects(new Request('http://x/'))).rejects.toThrow('no')
    const throws = shedder.fetch(() => {
      inside.push(shedder.state.inFlight)
      throw new Error('no')
    })
    await until(() => shedder.state.inFlight === 0)
    expect(() => throws(new Request('http://x/'))).toThrow('no')
    await until(() => shedder.state.inFlight === 0)
    expect(inside).toEqual([1, 1])
  })

  it('fetch passes on that a handler gave no response, as after an upgrade of Bun, and frees its place', async () => {
    const shedder = shedderOf(1)
    const inside: number[] = []
    const none = (): Response | undefined => void inside.push(shedder.state.inFlight)
    expect(shedder.fetch(none)(new Request('http://x/'))).toBeUndefined()
    await until(() => shedder.state.inFlight === 0)
    expect(await shedder.fetch(async () => none())(new Request('http://x/'))).toBeUndefined()
    await until(() => shedder.state.inFlight === 0)
    expect(inside).toEqual([1, 1])
  })

  it('fetch frees the place of a HEAD request over HTTP/2 whose stream is reset', async () => {
    const shedder = shedderOf(1)
    const handler = shedder.fetch(() => new Promise<Response>(() => {}))
    const server = createHttp2Server(getRequestListener(handler as never) as never)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    closing.push(
      () => client.destroy(),
      () => server.close(),
    )
    const stream = client.request({ ':path': '/', ':method': 'HEAD' }).on('error', () => {})
    await until(() => shedder.state.inFlight === 1)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => shedder.state.inFlight === 0)
  })

  it('a request whose client has left before holds no place', async () => {
    const shedder = shedderOf(1)
    const never = shedder.fetch(() => new Promise<Response>(() => {}))
    void never(new Request('http://x/', { signal: AbortSignal.abort() }))
    await until(() => shedder.state.inFlight === 0)
    const app = new Hono().use(shedder.hono).get('/', () => new Promise<Response>(() => {}))
    void app.request('/', { signal: AbortSignal.abort() })
    await until(() => shedder.state.admitted.normal === 2 && shedder.state.inFlight === 0)
  })

  it('a shedder listens to the signal of a request no longer than to the request', async () => {
    const { signal } = new AbortController()
    const request = { url: 'http://x/', method: 'GET', signal } as Request
    const shedder = shedderOf(100)
    const handlers = [
      shedder.fetch(async () => new Response()),
      shedder.fetch(async () => Promise.reject(new Error('no'))),
    ]
    for (let i = 0; i < 10; i++)
      for (const handler of handlers) await Promise.resolve(handler(request)).catch(() => {})
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('fetch refuses something that is not a handler', () => {
    expect(() => shedderOf(1).fetch({} as never)).toThrow(expect.objectContaining({ code: 'HALT_E_OPTION' }))
  })

  it('fetch hands the arguments of the platform on', async () => {
    const handler = shedderOf(1).fetch((_request: Request, env: { name: string }) => new Response(env.name))
    expect(await (await handler(new Request('http://x/'), { name: 'env' })).text()).toBe('env')
  })
})

describe('beside a limiter', () => {
  it('a shedder before a limiter charges nothing for its refusals, and frees the place of a refusal by it', async () => {
    const shedder = shedderOf(1)
    const store = new InMemoryStore()
    const policy = { name: 'api', limit: 2, window: 60, algorithm: 'fixed-window' } as const
    const app = express()
    app.use(halt({ store, policy, exemptPrivateIps: false }))
    app.get('/slow', async (_request, response) => {
      await waiting.wait()
      response.send('done')
    })
    app.get('/quick', (_request, response) => void response.send('done'))
    const server = await serve(shedder.wrap(app))
    closing.push(server.close)
    const slow = server.get('/slow')
    await until(() => waiting.count === 1)
    for (let i = 0; i < 5; i++) expect((await server.get('/quick')).status).toBe(503)
    waiting.letGo()
    expect((await slow).headers.get('ratelimit-remaining')).toBe('1')
    const last = await server.get('/quick')
    expect([last.status, last.headers.get('ratelimit-remaining')]).toEqual([200, '0'])
    expect((await server.get('/quick')).status).toBe(429)
    await until(() => shedder.state.inFlight === 0)
  })
})

describe('what a limiter refuses, whatever its status,', () => {
  const { loop, skip } = skippingLoop()
  const policy = { name: 'api', limit: 1, window: 60, keyStrategy: 'user' } as const
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy })

  /** Refuses as the adapters do, after five seconds. */
  const refuse = async (noted: object): Promise<Response> => {
    const decision = await limiter.consume({ user: '42' }, { cost: 2 })
    const { body } = refusalFor(noted, decision)
    skip(5000)
    return new Response(body?.text)
  }
  const inHono = (shedder: LoadShedder): Hono =>
    new Hono().use(shedder.hono).get('/', context => refuse(context))

  it.each([
    ['in Hono', (shedder: LoadShedder) => inHono(shedder).request('/')],
    [
      'in Hono on Node',
      async (shedder: LoadShedder) => {
        const server = await serve(getRequestListener(inHono(shedder).fetch) as never)
        closing.push(server.close)
        return server.get()
      },
    ],
    ['in a Fetch handler', (shedder: LoadShedder) => shedder.fetch(refuse)(new Request('http://x/'))],
  ])('a refusal by a limiter says nothing about latency, %s', async (_name, ask) => {
    const shedder = shedderOf(9, {}, loop)
    expect((await ask(shedder)).status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
    // A window lasts at most five seconds.
    skip(5000)
    expect(shedder.state.insideMs).toBe(0)
  })
})

describe('an answer that a middleware before has begun', () => {
  it('a refused answer that a middleware has begun is cut off, so that its client does not wait for ever', async () => {
    const shedder = shedderOf(1)
    const app = express()
    app.use((request, response, next) => {
      if (request.url !== '/slow') response.write('early ')
      next()
    })
    app.use(shedder.express)
    app.use(async (_request, response) => {
      await waiting.wait()
      response.end('done')
    })
    const server = await serve(app)
    closing.push(server.close)
    void server.get('/slow')
    await until(() => waiting.count === 1)
    await expect(server.get('/quick').then(async begun => begun.text())).rejects.toThrow('fetch failed')
    expect(shedder.state.inFlight).toBe(1)
  })
})

describe('a middleware before that writes the head of a stream', () => {
  it('a request takes no place where a middleware before has sent the head, which hides its end', async () => {
    const shedder = shedderOf(1)
    const app = express()
    app.use((_request, response, next) => {
      response.flushHeaders()
      next()
    })
    app.use(shedder.express)
    app.use((_request, response) => void response.write('begun'))
    const server = await serve(app)
    closing.push(server.close)
    for (let i = 0; i < 3; i++) await server.get()
    expect(shedder.state).toMatchObject({ inFlight: 0, admitted: { normal: 3 } })
  })
})

describe('a middleware before that replaces `writeHead`', () => {
  it('a middleware that replaces `writeHead` gets the headers of a refusal in a form that it understands', async () => {
    const shedder = shedderOf(1)
    const app = express()
    app.use((_request, response, next) => {
      const writeHead = response.writeHead.bind(response) as (status: number) => typeof response
      // As on-headers 1.0 does, which reads a list as one of pairs.
      response.writeHead = ((status: number, headers: Record<string, string> | [string, string][] = {}) => {
        for (const [name, value] of Array.isArray(headers) ? headers : Object.entries(headers))
          response.setHeader(name, value)
        return writeHead(status)
      }) as typeof response.writeHead
      next()
    })
    app.use(shedder.express)
    app.use(() => waiting.wait())
    const server = await serve(app)
    closing.push(server.close)
    void server.get()
    await until(() => waiting.count === 1)
    const { status, headers } = await server.get()
    expect([status, headers.get('content-type'), headers.get('retry-after')]).toEqual([
      503,
      'application/json; charset=utf-8',
      expect.stringMatching(/^[123]$/),
    ])
  })
})

describe('fastify', () => {
  it('the plugin of Fastify refuses with its own body where a hook has set a serializer', async () => {
    const shedder = shedderOf(1)
    const app = Fastify({ forceCloseConnections: true })
    closing.push(() => app.close())
    app.addHook('onRequest', (_request, reply, done) => {
      reply.serializer(data => JSON.stringify({ data }))
      done()
    })
    await app.register(shedder.fastify)
    app.get('/', () => waiting.wait())
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    fetch(url).catch(() => {})
    await until(() => waiting.count === 1)
    expect(await (await fetch(url)).json()).toMatchObject({ reason: 'overloaded' })
  })

  it.each(['onSend', 'preParsing', 'onrequest'])('registration refuses the hook %s', async hook => {
    const app = Fastify()
    app.register(shedderOf(1).fastify, { hook: hook as never })
    await expect(app.ready()).rejects.toMatchObject({ code: 'HALT_E_OPTION' })
  })
})

describe('upgrades that pass the routes of a framework, as those to WebSockets do', () => {
  /** Hands upgrades to the routes, as @fastify/websocket and express-ws do. */
  const upgradeBy = (
    server: Server,
    handle: (request: IncomingMessage, response: ServerResponse) => void,
  ): void => {
    server.on('upgrade', (request, socket) => {
      // Nobody reads it, so that it does not hear of its end.
      closing.push(() => socket.destroy())
      const response = new ServerResponse(request)
      response.assignSocket(socket as Socket)
      handle(request, response)
    })
  }
  const webSocket = async (url: string): Promise<Socket> => {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    closing.push(() => socket.destroy())
    socket.write('GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    await once(socket, 'data')
    return socket
  }
  const accept = (raw: { socket: Socket | null }): void =>
    void raw.socket!.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')

  it.each<[string, Start]>([
    [
      'fastify',
      async shedder => {
        const app = Fastify({ forceCloseConnections: true })
        await app.register(shedder.fastify)
        app.get('/ws', (request, reply) => {
          reply.hijack()
          accept(request.raw)
        })
        app.get('/quick', async () => 'done')
        upgradeBy(app.server, (request, response) => app.routing(request, response))
        closing.push(() => app.close())
        return app.listen({ port: 0, host: '127.0.0.1' })
      },
    ],
    [
      'express',
      async shedder => {
        const app = express()
        app.use(shedder.express)
        app.get('/ws', request => accept(request))
        app.get('/quick', (_request, response) => void response.send('done'))
        const server = await serve(app)
        upgradeBy(server.server, app)
        closing.push(server.close)
        return server.url
      },
    ],
  ])('open WebSockets hold no places of a shedder in %s, and are asked for', async (_name, start) => {
    const shedder = shedderOf(1)
    const url = await start(shedder)
    for (let i = 0; i < 5; i++) await webSocket(url)
    expect(shedder.state).toMatchObject({ inFlight: 0, admitted: { normal: 5 } })
    expect((await fetch(`${url}/quick`)).status).toBe(200)
  })
})

describe('clients that hang up while the work for them goes on', () => {
  it('a handler keeps the place of a client that hangs up, so that patient clients are not queued behind it', async () => {
    const shedder = shedderOf(1, {}, skippingLoop().loop)
    const server = await serve(
      shedder.wrap(async (_request, response) => {
        await waiting.wait()
        response.end('done')
      }),
    )
    closing.push(server.close)
    const leaver = new AbortController()
    const left = server.get('/', { signal: leaver.signal }).catch(() => undefined)
    await until(() => waiting.count === 1)
    leaver.abort()
    await left
    expect((await server.get()).status).toBe(503)
    expect(shedder.state.inFlight).toBe(1)
    waiting.letGo()
    await until(() => shedder.state.inFlight === 0)
  })

  it('a place is free a second after a client has hung up where nothing tells that the work has ended', async () => {
    const { loop, skip } = skippingLoop()
    const shedder = shedderOf(1, {}, loop)
    let asked = 0
    const server = await serve(shedder.wrap(() => void asked++))
    closing.push(server.close)
    const leaver = new AbortController()
    const left = server.get('/', { signal: leaver.signal }).catch(() => undefined)
    await until(() => asked === 1)
    leaver.abort()
    await left
    expect((await server.get()).status).toBe(503)
    skip(1000)
    await until(() => shedder.state.inFlight === 0)
  })
})

describe('Node listeners behind several shedders', () => {
  it('a request behind several shedders frees the places of all of them', async () => {
    const [outer, inner] = [shedderOf(5), shedderOf(5)]
    const server = await serve(
      outer.wrap(inner.wrap((_request: unknown, response: { end(): void }) => response.end())),
    )
    closing.push(server.close)
    expect((await server.get()).status).toBe(200)
    await until(() => outer.state.inFlight === 0 && inner.state.inFlight === 0)
    expect([outer.state.admitted.normal, inner.state.admitted.normal]).toEqual([1, 1])
  })
})
