// A client that resets its connection while an asynchronous option works. Node then no longer knows its address.
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

it('a client that resets its connection gets no second allowance', async () => {
  const keys: (string | undefined)[] = []
  const entered: (() => void)[] = []
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>()
  app.use(
    halt({
      getConnInfo,
      policy: { name: 'tries', limit: 2, window: 60 },
      exemptPrivateIps: false,
      async skip(c) {
        if (c.req.header('x-reset') === undefined) return false
        const { socket } = (c.env as { incoming: IncomingMessage }).incoming
        const gone = new Promise(resolve => socket.once('close', resolve))
        entered.shift()?.()
        await gone
        return false
      },
    }),
  )
  app.get('/', c => {
    keys.push(c.get('halt')?.key)
    return c.text('ok')
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  for (let i = 0; i < 4; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    const started = new Promise<void>(resolve => entered.push(resolve))
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
