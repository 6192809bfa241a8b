import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { serve, upgradeWebSocket } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

/** A WebSocket server that only upgrades. */
class Upgrader extends EventEmitter {
  readonly options: { readonly noServer: true } = { noServer: true }

  /** Whether it keeps the sockets open. */
  keepsOpen = false

  handleUpgrade(_request: unknown, socket: Socket): void {
    const headers: string[] = []
    this.emit('headers', headers)
    const answer = ['HTTP/1.1 101 Switching Protocols', ...headers, '', ''].join('\r\n')
    // It reads, and ends when its client has, as any WebSocket server does.
    if (this.keepsOpen)
      socket
        .resume()
        .on('end', () => socket.end())
        .write(answer)
    else socket.end(answer)
  }

  close(): void {}
}

it('halt() counts the upgrade to a WebSocket, and refuses it like any other request', async () => {
  const app = new Hono()
  app.use(halt({ policy: { name: 'api', limit: 1, window: 60 }, exemptPrivateIps: false, getConnInfo }))
  app.get(
    '/socket',
    upgradeWebSocket(() => ({})),
  )
  const websocket = { server: new Upgrader() as never }
  const server = serve({ fetch: app.fetch, websocket, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const upgrade = async (): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    let text = ''
    for await (const chunk of socket.setEncoding('latin1')) text += chunk
    return text
  }
  expect(await upgrade()).toMatch(/^HTTP\/1.1 101 [^]*ratelimit-remaining: 0\r\n/)
  expect(await upgrade()).toMatch(/^HTTP\/1.1 429 [^]*retry-after: 60\r\n/)
  server.close()
})

it('a WebSocket holds its place of concurrency until its socket closes', async () => {
  const app = new Hono()
  const limiter = new RateLimiter({
    store: new InMemoryStore(),
    policy: { name: 'sockets', algorithm: 'concurrency', limit: 1, ttl: '1m' },
    exemptPrivateIps: false,
  })
  app.use(halt({ limiter, getConnInfo }))
  app.get(
    '/socket',
    upgradeWebSocket(() => ({})),
  )
  app.get('/none', c => c.text('no socket here', 404))
  const upgrader = Object.assign(new Upgrader(), { keepsOpen: true })
  const server = serve({
    fetch: app.fetch,
    websocket: { server: upgrader as never },
    hostname: '127.0.0.1',
    port: 0,
  })
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const open = async (path = '/socket'): Promise<{ readonly socket: Socket; readonly status: string }> => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    onTestFinished(() => void socket.destroy())
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    )
    const [head] = (await once(socket, 'data')) as [string]
    return { socket, status: head.slice(9, 12) }
  }
  const first = await open()
  expect([first.status, (await open()).status, (await open()).status]).toEqual(['101', '429', '429'])
  first.socket.destroy()
  // The place of an upgrade that the app refuses is free again too.
  await expect.poll(async () => (await open('/none')).status).toBe('404')
  await expect.poll(async () => (await open()).status).toBe('101')
})
