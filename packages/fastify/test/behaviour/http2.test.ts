import { connect, type ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'
import { makeLimiter } from '../server.ts'

interface Answer {
  readonly status: number
  readonly remaining: unknown
  readonly body: string
}

function ask(session: ClientHttp2Session, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path }).setEncoding('utf8')
    let status = 0
    let remaining: unknown
    let body = ''
    stream.on('response', headers => {
      status = Number(headers[':status'])
      remaining = headers['ratelimit-remaining']
    })
    stream.on('data', (chunk: string) => (body += chunk))
    stream.on('end', () => resolve({ status, remaining, body }))
    stream.on('error', reject)
  })
}

async function start(): Promise<{ session: ClientHttp2Session; entered: () => Promise<() => void> }> {
  const app = Fastify({ http2: true })
  await app.register(halt, { limiter: makeLimiter(3) })
  const flight = { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 } as const
  const waiting: ((close: () => void) => void)[] = []
  const refund = { name: 'refund', limit: 5, window: 60 }
  app.get(
    '/refund',
    { config: { halt: { policy: refund, override: true, chargeWhen: () => false } } },
    () => {
      return new Promise(resolve => waiting.shift()?.(() => resolve('ok')))
    },
  )
  app.get('/', ({ halt: decision }) => decision?.key)
  app.get('/open', { config: { halt: { policy: flight, override: true } } }, () => {
    return new Promise(resolve => waiting.shift()?.(() => resolve('ok')))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    session.destroy()
    await app.close()
  })
  return { session, entered: () => new Promise(resolve => waiting.push(resolve)) }
}

it('the plugin limits cleartext HTTP/2 by the address of the connection', async () => {
  const { session } = await start()
  expect(await ask(session, '/')).toEqual({ status: 200, remaining: '2', body: 'ip:127.0.0.1' })
  await ask(session, '/')
  await ask(session, '/')
  expect(await ask(session, '/')).toMatchObject({ status: 429, remaining: '0' })
})

it.each(['GET', 'HEAD'])(
  'an HTTP/2 stream of %s that is reset frees its place of a concurrency policy',
  async method => {
    const { session, entered } = await start()
    const inside = entered()
    const stream = session.request({ ':path': '/open', ':method': method })
    await inside
    expect((await ask(session, '/open')).status).toBe(429)
    stream.on('error', () => {})
    stream.destroy()
    const again = entered()
    let status = 429
    const asking = (async () => {
      while (status === 429) status = (await ask(session, '/open')).status
    })()
    ;(await again)()
    await asking
    expect(status).toBe(200)
  },
)

it('an HTTP/2 stream that is reset before the answer keeps its charge', async () => {
  const { session, entered } = await start()
  const inside = entered()
  const stream = session.request({ ':path': '/refund' })
  stream.on('error', () => {})
  await inside
  stream.destroy()
  await new Promise(resolve => setTimeout(resolve, 50))
  // The reset request keeps its unit. Each answered request takes one unit, and its refund gives it back.
  for (let i = 0; i < 2; i++) {
    const answered = entered()
    const asking = ask(session, '/refund')
    ;(await answered)()
    expect((await asking).remaining).toBe('3')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
})
