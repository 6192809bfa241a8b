import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt } from '../../src/index.ts'
import { listen, makeApp, makeLimiter, statuses } from '../server.ts'

const flight = { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 } as const

/** An app with a route that stays open until the test closes it. */
async function withOpenRoute(): Promise<{ app: FastifyInstance; entered: () => Promise<() => void> }> {
  const app = makeApp()
  await app.register(halt, { limiter: makeLimiter(100) })
  const waiting: ((close: () => void) => void)[] = []
  app.get('/', { config: { halt: { policy: flight } } }, () => {
    return new Promise(resolve => waiting.shift()?.(() => resolve('ok')))
  })
  return { app, entered: () => new Promise(resolve => waiting.push(resolve)) }
}

describe('a concurrency policy of a route', () => {
  it('a concurrency policy of a route frees its place when the reply is sent', async () => {
    const { app, entered } = await withOpenRoute()
    const get = await listen(app)
    for (let i = 0; i < 3; i++) {
      const inside = entered()
      const open = get('/')
      const close = await inside
      expect((await get('/')).status).toBe(429)
      close()
      expect((await open).status).toBe(200)
    }
  })

  it('a concurrency policy of a route frees its place when the client leaves before the answer', async () => {
    const { app, entered } = await withOpenRoute()
    const get = await listen(app)
    const inside = entered()
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await inside
    expect((await get('/')).status).toBe(429)
    socket.destroy()
    await once(socket, 'close')
    const again = entered()
    let status = 429
    const ask = async (): Promise<void> => void (status = (await get('/')).status)
    // The server notices it a moment later. Then one request stays open.
    const asking = (async () => {
      while (status === 429) await ask()
    })()
    ;(await again)()
    await asking
    expect(status).toBe(200)
  })
})

describe('chargeWhen', () => {
  it('chargeWhen of a route decides about all policies of the check', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(3) })
    const policy = { name: 'failures', limit: 1, window: 60 }
    app.get(
      '/login',
      { config: { halt: { policy, chargeWhen: reply => reply.statusCode === 401 } } },
      (request, reply) => reply.code(request.headers['x-password'] === 'right' ? 200 : 401).send(),
    )
    const get = await listen(app)
    const right = () => get('/login', { headers: { 'x-password': 'right' } })
    expect(await statuses(5, right)).toEqual([200, 200, 200, 200, 200])
    expect(await statuses(2, () => get('/login'))).toEqual([401, 429])
  })
})
