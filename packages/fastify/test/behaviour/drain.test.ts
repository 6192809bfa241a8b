import { connect } from 'node:http2'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'

import { drain, halt } from '../../src/index.ts'

const policy = { name: 'places', algorithm: 'concurrency', limit: 1, ttl: 60, keyStrategy: 'shared' } as const

/** An app of one route that answers when the test says so, and of one that answers at once. */
async function start(options: { readonly http2?: true; readonly forceCloseConnections?: true } = {}) {
  const order: string[] = []
  const store = Object.assign(new InMemoryStore(), { close: () => void order.push('store closed') })
  const limiter = new RateLimiter({ store, policy, exemptPrivateIps: false })
  const app = Fastify(options as object)
  app.addHook('onClose', async () => void order.push('app closed'))
  await app.register(halt, { limiter, global: false })
  let answer = (): void => {}
  const passed = new Promise<void>(resolve => (answer = resolve))
  app.get('/slow', { preHandler: app.halt() }, async () => passed.then(() => 'late'))
  app.get('/', async () => 'ok')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const isRunning = async (): Promise<void> => {
    while ((await limiter.peek('all')).remaining === 1) await new Promise(setImmediate)
  }
  return { app, limiter, order, url, answer, isRunning }
}

it('drain() answers a running request and those that still come, then closes the app, then the limiter', async () => {
  const { app, limiter, order, url, answer, isRunning } = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = async (): Promise<[number | undefined, string | undefined]> => {
    const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return [response.statusCode, response.headers.connection]
  }
  await ask()
  const slow = fetch(`${url}/slow`)
  await isRunning()
  const drained = drain(app, { limiter, deadline: '20s' })
  // app.close() alone would answer with 503.
  expect(await ask()).toEqual([200, 'close'])
  answer()
  expect((await slow).status).toBe(200)
  expect(await drained).toEqual({ forced: 0, errors: [] })
  expect(drain(app)).toBe(drained)
  expect(order).toEqual(['app closed', 'store closed'])
  expect((await limiter.peek('all')).remaining).toBe(1)
})

it('drain() lets the running requests of HTTP/2 connections end', async () => {
  const { app, limiter, order, url, answer, isRunning } = await start({
    http2: true,
    forceCloseConnections: true,
  })
  const [busy, idle] = [connect(url), connect(url)]
  const ends = [busy, idle].map(client => once(client, 'close'))
  const slow = busy.request({ ':path': '/slow' })
  const fast = idle.request({ ':path': '/' })
  fast.resume()
  await once(fast, 'end')
  await isRunning()
  const drained = drain(app, { limiter, deadline: '20s' })
  answer()
  expect((await once(slow, 'response'))[0]).toMatchObject({ ':status': 200 })
  slow.resume()
  expect(await drained).toEqual({ forced: 0, errors: [] })
  await Promise.all(ends)
  expect(order).toEqual(['app closed', 'store closed'])
})

it('drain() of an app that never listened closes it', async () => {
  const app = Fastify()
  expect(await drain(app)).toEqual({ forced: 0, errors: [] })
})
