// A client that resets its connection while an asynchronous option works. Node then no longer knows its address.
import { once } from 'node:events'
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2'
import type { IncomingMessage, Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

interface Setup {
  readonly port: number
  readonly server: Server
  /** The keys that admitted requests counted under. */
  readonly keys: (string | undefined)[]
  /** Resolves when the next request with `x-reset` is inside `skip`, which then waits until its client has gone. */
  entered(): Promise<void>
}

async function start(createServer?: typeof createHttp2Server): Promise<Setup> {
  const keys: (string | undefined)[] = []
  const waiting: (() => void)[] = []
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>()
  app.use(
    halt({
      getConnInfo,
      policy: { name: 'tries', limit: 2, window: 60 },
      exemptPrivateIps: false,
      async skip(c) {
        if (c.req.header('x-reset') === undefined) return false
        const { incoming } = c.env as { incoming: IncomingMessage & { stream?: Emitter } }
        const gone = new Promise(resolve => (incoming.stream ?? incoming.socket).once('close', resolve))
        waiting.shift()?.()
        await gone
        return false
      },
    }),
  )
  app.get('/', c => {
    keys.push(c.get('halt')?.key)
    return c.text('ok')
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', createServer } as never) as Server
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, server, keys, entered: () => new Promise(resolve => waiting.push(resolve)) }
}

interface Emitter {
  once(event: 'close', listener: (value: unknown) => void): unknown
}

it('a client that resets its connection gets no second allowance', async () => {
  const { port, server, keys, entered } = await start()
  for (let i = 0; i < 4; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    const started = entered()
    const departed = new Promise(resolve => server.once('connection', peer => peer.once('close', resolve)))
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Reset: 1\r\n\r\n')
    await started
    socket.resetAndDestroy()
    await departed
    await new Promise(resolve => setImmediate(resolve))
  }
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})

it('a client that resets its HTTP/2 stream gets no second allowance', async () => {
  const { port, keys, entered } = await start(createHttp2Server)
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  for (let i = 0; i < 4; i++) {
    const started = entered()
    const stream = session.request({ ':path': '/', 'x-reset': '1' }).on('error', () => {})
    await started
    stream.close(constants.NGHTTP2_CANCEL)
    await once(stream, 'close')
  }
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) {
    const stream = session.request({ ':path': '/' })
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
    stream.resume()
    statuses.push(headers[':status'])
  }
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})

it('a client that has reset its connection before its request is read gets no second allowance', async () => {
  const { port, keys } = await start()
  for (let i = 0; i < 4; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.resetAndDestroy()
  }
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})
