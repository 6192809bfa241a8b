import { EventEmitter, once } from 'node:events'
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { loadShedder } from '../src/load-shedder.ts'
import { serve, shedderOf, type TestServer, until, Waiting } from './pinned.ts'

let server: TestServer | undefined
const waiting = new Waiting()

afterEach(async () => {
  waiting.letGo()
  await server?.close()
  server = undefined
})

/** A server whose handlers wait, except for `/quick`. */
async function start(shedder = shedderOf(2)): Promise<TestServer> {
  server = await serve(
    shedder.wrap(async (request, response) => {
      if (request.url !== '/quick') await waiting.wait()
      response.end('done')
    }),
  )
  return server
}

describe('wrap', () => {
  it('wrap refuses the request for which there is no place, before the handler runs', async () => {
    const shedder = shedderOf(2)
    const { get } = await start(shedder)
    const admitted = [get(), get()]
    await until(() => waiting.count === 2)
    const refused = await get()
    expect(refused.status).toBe(503)
    expect(waiting.count).toBe(2)
    expect(shedder.state).toMatchObject({ inFlight: 2, refused: { critical: 0, normal: 1, batch: 0 } })
    waiting.letGo()
    for (const { status } of await Promise.all(admitted)) expect(status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
    expect((await get('/quick')).status).toBe(200)
  })

  it('wrap refuses with Retry-After of 1 to 3 seconds, the reason, and no RateLimit headers', async () => {
    const { get } = await start(shedderOf(1))
    void get()
    await until(() => waiting.count === 1)
    const waits = new Set<string | null>()
    for (let i = 0; i < 40; i++) {
      const response = await get()
      waits.add(response.headers.get('retry-after'))
      const body = (await response.json()) as Record<string, unknown>
      expect(body).toMatchObject({ error: 'service_unavailable', reason: 'overloaded' })
      expect(String(body['retry_after'])).toBe(response.headers.get('retry-after'))
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('connection')).not.toBe('close')
      expect([...response.headers.keys()].filter(name => name.includes('ratelimit'))).toEqual([])
    }
    expect(waits).toEqual(new Set(['1', '2', '3']))
  })

  it('wrap refuses with a problem document if told so', async () => {
    const { get } = await start(shedderOf(1, { errorFormat: 'problem' }))
    void get()
    await until(() => waiting.count === 1)
    const response = await get()
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 503, reason: 'overloaded' })
  })

  it('wrap refuses a HEAD request without a body, and a POST whose body it has not read', async () => {
    const { get } = await start(shedderOf(1))
    void get()
    await until(() => waiting.count === 1)
    const head = await get('/', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([503, ''])
    expect((await get('/', { method: 'POST', body: 'x'.repeat(300_000) })).status).toBe(503)
    expect((await get()).status).toBe(503)
  })

  it('wrap lets health checks and exempt paths pass, and does not count them', async () => {
    const shedder = shedderOf(1, { exemptions: ['/internal'] })
    server = await serve(
      shedder.wrap(async (request, response) => {
        if (request.url === '/slow') await waiting.wait()
        response.end()
      }),
    )
    const { get } = server
    void get('/slow')
    await until(() => waiting.count === 1)
    for (const path of ['/health', '/healthz?full', '/internal', '/internal/jobs'])
      expect((await get(path)).status, path).toBe(200)
    for (const path of ['/healthy', '/internals', '/internal%2Fjobs'])
      expect((await get(path)).status, path).toBe(503)
    expect((await get('/health', { method: 'POST' })).status).toBe(503)
    expect(shedder.state.inFlight).toBe(1)
  })

  it('a client that leaves frees its place once', async () => {
    const shedder = shedderOf(2)
    const { get } = await start(shedder)
    const leaver = new AbortController()
    const left = get('/', { signal: leaver.signal }).catch(() => 'left')
    void get()
    await until(() => waiting.count === 2)
    leaver.abort()
    expect(await left).toBe('left')
    await until(() => shedder.state.inFlight === 1)
    waiting.letGo() // the handler of the one who left answers as well
    await until(() => shedder.state.inFlight === 0)
    expect((await get('/quick')).status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
  })

  it('pipelined requests whose connection breaks free their places', async () => {
    const shedder = shedderOf(5)
    const { port } = await start(shedder)
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3))
    await until(() => waiting.count === 3)
    expect(shedder.state.inFlight).toBe(3)
    socket.destroy()
    await until(() => shedder.state.inFlight === 0)
  })

  it('a handler that throws away the connection frees its place', async () => {
    const shedder = shedderOf(1)
    const inside: number[] = []
    server = await serve(
      shedder.wrap((request, _response) => {
        inside.push(shedder.state.inFlight)
        request.socket.destroy()
      }),
    )
    await server.get().catch(() => undefined)
    await until(() => shedder.state.inFlight === 0)
    // A client may try again on its own.
    expect(new Set(inside)).toEqual(new Set([1]))
  })

  it('a stream frees its place at its headers', async () => {
    const shedder = shedderOf(2)
    server = await serve(
      shedder.wrap((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('data: 1\n\n')
      }),
    )
    const streams = []
    for (let i = 0; i < 10; i++) streams.push(await server.get('/events'))
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    await until(() => shedder.state.inFlight === 0)
    for (const { body } of streams) await body?.cancel()
    expect(shedder.state.inFlight).toBe(0)
  })

  it('wrap does not count upgrades', async () => {
    const shedder = shedderOf(1)
    const { get, port, server: node } = await start(shedder)
    node.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    const sockets = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'))
    const answers = sockets.map(
      socket => new Promise<string>(resolve => socket.once('data', data => resolve(String(data)))),
    )
    for (const socket of sockets)
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    for (const answer of await Promise.all(answers)) expect(answer).toContain('101')
    expect((await get('/quick')).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  it('wrap lets everything pass with mode "off"', async () => {
    const shedder = shedderOf(1, { mode: 'off' })
    const { get } = await start(shedder)
    const all = Array.from({ length: 5 }, () => get())
    await until(() => waiting.count === 5)
    waiting.letGo()
    for (const { status } of await Promise.all(all)) expect(status).toBe(200)
    expect(shedder.explain()).toBe('app: off, all requests pass.')
  })

  it('wrap refuses nothing in shadow mode, and says what it would have refused', async () => {
    const shedder = shedderOf(2, { mode: 'shadow' })
    const { get } = await start(shedder)
    const all = Array.from({ length: 5 }, () => get())
    await until(() => waiting.count === 5)
    expect(shedder.state).toMatchObject({ mode: 'shadow', inFlight: 2, refused: { normal: 3 } })
    waiting.letGo()
    for (const { status } of await Promise.all(all)) expect(status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
  })

  it('a server that captures rejections answers 500 for a wrapped handler that rejects', async () => {
    const shedder = shedderOf(1)
    const inside: number[] = []
    const failing = shedder.wrap(async () => {
      inside.push(shedder.state.inFlight)
      throw new Error('no')
    })
    EventEmitter.captureRejections = true
    const capturing = createServer()
    EventEmitter.captureRejections = false
    server = await serve(failing, capturing)
    expect((await server.get()).status).toBe(500)
    await until(() => shedder.state.inFlight === 0)
    expect(inside).toEqual([1])
  })

  it('wrap frees places in a test that fakes the timers', async () => {
    vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout', 'performance'] })
    const shedder = loadShedder({ min: 1, max: 1 })
    vi.useRealTimers()
    const { get } = await start(shedder)
    for (let i = 0; i < 3; i++) {
      expect((await get('/quick')).status).toBe(200)
      await until(() => shedder.state.inFlight === 0)
    }
  })

  it('wrap throws for something that is not a listener', () => {
    expect(() => shedderOf(1).wrap({} as never)).toThrow('listener')
  })
})

describe('HTTP/2', () => {
  it('a HEAD request over HTTP/2 whose stream is reset frees its place', async () => {
    const shedder = shedderOf(1)
    const http2 = createHttp2Server()
    http2.on(
      'request',
      shedder.wrap(() => {}),
    )
    http2.listen(0, '127.0.0.1')
    await once(http2, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
    const stream = client.request({ ':path': '/', ':method': 'HEAD' })
    stream.on('error', () => {})
    await until(() => shedder.state.inFlight === 1)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => shedder.state.inFlight === 0)
    client.close()
    await new Promise(resolve => http2.close(resolve))
  })

  it('wrap admits, refuses, and frees the places of answered and of reset streams over HTTP/2', async () => {
    const shedder = shedderOf(2)
    const http2 = createHttp2Server()
    http2.on(
      'request',
      shedder.wrap(async (request: Http2ServerRequest, response: Http2ServerResponse) => {
        if (request.url !== '/quick') await waiting.wait()
        if (!response.stream.destroyed) response.end('done')
      }),
    )
    await new Promise<void>(resolve => http2.listen(0, '127.0.0.1', resolve))
    const client = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
    const ask = (path: string): { status: Promise<number>; reset: () => void } => {
      const stream = client.request({ ':path': path })
      stream.on('error', () => undefined)
      const status = new Promise<number>(resolve => {
        stream.on('response', headers => resolve(Number(headers[':status'])))
        stream.on('close', () => resolve(0))
      })
      stream.resume().end()
      return { status, reset: () => stream.close(8) }
    }
    const [first, second] = [ask('/'), ask('/')]
    await until(() => waiting.count === 2)
    expect(await ask('/').status).toBe(503)
    second.reset()
    await until(() => shedder.state.inFlight === 1)
    waiting.letGo()
    expect(await first.status).toBe(200)
    expect(await ask('/quick').status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
    expect(shedder.state).toMatchObject({ admitted: { normal: 3 }, refused: { normal: 1 } })
    client.close()
    await new Promise(resolve => http2.close(resolve))
  })
})
