import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { serve, upgradeWebSocket } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { expect, it } from 'vitest'

import { halt } from '../../src/index.ts'

/** A WebSocket server that only upgrades. */
class Upgrader extends EventEmitter {
  readonly options: { readonly noServer: true } = { noServer: true }

  handleUpgrade(_request: unknown, socket: Socket): void {
    const headers: string[] = []
    this.emit('headers', headers)
    socket.end(['HTTP/1.1 101 Switching Protocols', ...headers, '', ''].join('\r\n'))
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
