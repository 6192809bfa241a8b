import { once } from 'node:events'
import { type ClientRequest, createServer, type IncomingMessage, request } from 'node:http'
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer as createServer2,
} from 'node:http2'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { text } from 'node:stream/consumers'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { expect, it } from 'vitest'

import { drain, halt } from '../../src/index.ts'

it('drain() waits for a running request, records its end, and closes the limiter and its store', async () => {
  const store = new InMemoryStore()
  let isClosed = false
  Object.assign(store, { close: () => (isClosed = true) })
  const policy = {
    name: 'places',
    algorithm: 'concurrency',
    limit: 1,
    ttl: 60,
    keyStrategy: 'shared',
  } as const
  const limiter = new RateLimiter({ store, policy, exemptPrivateIps: false })
  const app = express()
  let answer = (): void => {}
  app.get('/', halt({ limiter }), (_req, res) => (answer = () => void res.send('late')))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  while ((await limiter.peek('all')).remaining === 1) await new Promise(setImmediate)
  const drained = drain(server, { limiter, deadline: '20s' })
  answer()
  expect(await (await asked).text()).toBe('late')
  expect(await drained).toEqual({ forced: 0, errors: [] })
  expect(isClosed).toBe(true)
  expect((await limiter.peek('all')).remaining).toBe(1)
})

/** TLS without a certificate: both sides know a key. */
const tls = {
  ciphers: 'PSK',
  maxVersion: 'TLSv1.2',
  pskCallback: () => ({ identity: 'halt', psk: Buffer.alloc(32, 7) }),
  checkServerIdentity: () => undefined,
} as const
const tlsServer = { ...tls, pskCallback: () => Buffer.alloc(32, 7) }

async function asked1(request: ClientRequest): Promise<string> {
  const [answer] = (await once(request.end(), 'response')) as [IncomingMessage]
  return text(answer)
}

async function asked2(session: ClientHttp2Session): Promise<string> {
  const answer = await text(session.request({ ':path': '/' }))
  session.close()
  return answer
}

const kinds: readonly (readonly [string, () => Server, (port: number) => Promise<string>])[] = [
  ['node:http', () => createServer(), port => asked1(request({ port }))],
  ['node:https', () => createTlsServer(tlsServer), port => asked1(tlsRequest({ port, ...tls }))],
  ['node:http2', () => createServer2(), port => asked2(connect(`http://localhost:${port}`))],
  [
    'node:http2 with TLS',
    () => createSecureServer(tlsServer),
    port => asked2(connect(`https://localhost:${port}`, tls)),
  ],
]

it.each(kinds)(
  'drain() waits for a running request of a server of %s, and closes the server',
  async (_name, make, ask) => {
    let answer = (): void => {}
    let arrive = (): void => {}
    const arrived = new Promise<void>(resolve => (arrive = resolve))
    const server = make()
    server.on('request', (_req: unknown, res: { end(body: string): unknown }) => {
      answer = () => void res.end('late')
      arrive()
    })
    await once(server.listen(0), 'listening')
    const { port } = server.address() as AddressInfo
    const body = ask(port)
    await arrived
    const order: string[] = []
    const drained = drain(server, { deadline: '20s' }).finally(() => order.push('drained'))
    await expect.poll(() => server.listening).toBe(false)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    order.push('answered')
    answer()
    expect(await body).toBe('late')
    expect(await drained).toEqual({ forced: 0, errors: [] })
    expect(order).toEqual(['answered', 'drained'])
  },
)
