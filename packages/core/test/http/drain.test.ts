import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect as connect2, createServer as createServer2 } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, describe, expect, it } from 'vitest'

import { drain, type DrainableServer } from '../../src/http/index.ts'
import { RateLimiter } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ server: Server; port: number; agent: Agent }> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  ends.push(() => {
    agent.destroy()
    server.close()
    server.closeAllConnections()
  })
  return { server, port: (server.address() as AddressInfo).port, agent }
}

async function ask(port: number, agent: Agent): Promise<IncomingMessage> {
  const [response] = (await once(get({ host: '127.0.0.1', port, agent }), 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  ends.push(() => socket.destroy())
  return socket
}

const ok: Handler = (_request, response) => void response.end('ok')
const nothing = { forced: 0, errors: [] }

describe('drain()', () => {
  it('drain() answers on connections in use once more, and tells them to close', async () => {
    const { server, port, agent } = await serve(ok)
    expect((await ask(port, agent)).headers.connection).toBe('keep-alive')
    const drained = drain(server)
    const last = await ask(port, agent)
    expect([last.statusCode, last.headers.connection]).toEqual([200, 'close'])
    expect(await drained).toEqual(nothing)
    expect(server.listening).toBe(false)
    await expect(ask(port, agent)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('drain() closes connections that stay idle', async () => {
    const { server, port, agent } = await serve(ok)
    await ask(port, agent)
    expect(await drain(server)).toEqual(nothing)
  })

  it('drain() ends although clients send one request after the other on each connection', async () => {
    let begun = 0
    const { server, port } = await serve((request, response) => {
      begun++
      ok(request, response)
    })
    const statuses: (number | undefined)[] = []
    const clients = Array.from({ length: 8 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      ends.push(() => agent.destroy())
      for (;;) {
        try {
          statuses.push((await ask(port, agent)).statusCode)
        } catch {
          return
        }
      }
    })
    while (statuses.length < 100) await sleep(1)
    expect(await drain(server)).toEqual(nothing)
    await Promise.all(clients)
    expect(new Set(statuses)).toEqual(new Set([200]))
    // No request that the server had begun was cut off.
    expect(statuses).toHaveLength(begun)
  })

  it('drain() waits for a running request, and then closes its connection and the limiters', async () => {
    let answer = (): void => {}
    const { server, port, agent } = await serve((_request, response) => (answer = () => response.end('late')))
    const closed: string[] = []
    const limiters = ['a', 'b'].map(name => ({ close: () => void closed.push(name) }))
    const asked = ask(port, agent)
    await once(server, 'request')
    const drained = drain(server, { limiter: limiters })
    await sleep(20)
    expect(closed).toEqual([])
    answer()
    expect((await asked).statusCode).toBe(200)
    expect(await drained).toEqual(nothing)
    expect(closed).toEqual(['a', 'b'])
  })

  it('drain() destroys at the deadline the connections that are left, and says how many', async () => {
    const { server, port, agent } = await serve(() => {})
    const asked = ask(port, agent)
    asked.catch(() => {})
    await once(server, 'request')
    const silent = await open(port)
    const ended = once(silent, 'close')
    expect(await drain(server, { deadline: '100ms' })).toEqual({ forced: 2, errors: [] })
    await expect(asked).rejects.toMatchObject({ code: 'ECONNRESET' })
    await ended
  })

  it('drain() waits for the corrections of every limiter of the store before it closes anything', async () => {
    const store = Object.assign(new ReferenceStore(Date.now), { close: () => void order.push('closed') })
    const order: string[] = []
    const evaluate = store.evaluate.bind(store)
    const slow: typeof evaluate = group => {
      const mode = group.demands[0]?.cost
      return sleep(20).then(() => {
        order.push(`${mode}`)
        return evaluate(group)
      }) as never
    }
    Object.assign(store, { evaluate: slow })
    const policy = { name: 'p', limit: 5, window: 60, keyStrategy: 'user' } as const
    const [limiter, made] = [new RateLimiter({ store, policy }), new RateLimiter({ store, policy })]
    const decision = await made.consume({ user: '42' })
    const { server } = await serve(ok)
    void made.settle(decision, 0)
    expect(await drain(server, { limiter: [limiter, made] })).toEqual(nothing)
    expect(order).toEqual(['1', '-1', 'closed'])
  })

  it('drain() returns the promise of the first call for a second signal', async () => {
    const { server } = await serve(ok)
    let times = 0
    const limiter = { close: () => void times++ }
    const first = drain(server, { limiter })
    expect(drain(server, { limiter })).toBe(first)
    await first
    expect(drain(server)).toBe(first)
    expect(times).toBe(1)
  })

  it('drain() goes on where a limiter cannot be closed, and reports why', async () => {
    const { server } = await serve(ok)
    const error = new Error('no')
    let isClosed = false
    const limiter = [
      { close: () => Promise.reject(error) },
      {
        close() {
          throw error
        },
      },
      { close: () => void (isClosed = true) },
    ]
    expect(await drain(server, { limiter })).toEqual({ forced: 0, errors: [error, error] })
    expect(isClosed).toBe(true)
  })

  it('drain() ends at once for a server that never listened or that was closed', async () => {
    expect(await drain(createServer())).toEqual(nothing)
    const { server } = await serve(ok)
    server.close()
    expect(await drain(server)).toEqual(nothing)
  })

  it('drain() tells HTTP/2 clients to go away, and lets their running requests end', async () => {
    const server = createServer2().listen(0, '127.0.0.1')
    await once(server, 'listening')
    let answer = (): void => {}
    server.on('request', (request, response) => {
      if (request.url === '/slow') answer = () => response.end('slow')
      else response.end('ok')
    })
    const client = connect2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    ends.push(() => client.destroy())
    client.on('error', () => {})
    const slow = client.request({ ':path': '/slow' })
    await once(server, 'request')
    const drained = drain(server)
    const away = once(client, 'goaway')
    const fast = client.request({ ':path': '/' })
    expect((await once(fast, 'response'))[0]).toMatchObject({ ':status': 200 })
    await away
    answer()
    expect((await once(slow, 'response'))[0]).toMatchObject({ ':status': 200 })
    fast.resume()
    slow.resume()
    expect(await drained).toEqual(nothing)
  })

  it.each([
    [undefined, {}, 'HALT_E_OPTION'],
    [() => {}, {}, 'HALT_E_OPTION'],
    [createServer(), { limitr: {} }, 'HALT_E_UNKNOWN_FIELD'],
    [createServer(), { limiter: {} }, 'HALT_E_OPTION'],
    [createServer(), { limiter: [null] }, 'HALT_E_OPTION'],
    [createServer(), { deadline: 'soon' }, 'HALT_E_DURATION'],
    [createServer(), null, 'HALT_E_OPTION'],
  ])('drain() rejects wrong arguments: %#', async (server, options, code) => {
    await expect(drain(server as unknown as DrainableServer, options as object)).rejects.toMatchObject({
      code,
    })
  })
})
