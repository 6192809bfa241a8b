import { gate, limitOf } from './bench.ts'
import type { Http2Stream } from './contract.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

/** The error code of HTTP/2 for a cancelled stream. */
const CANCEL = 8

/** Requests that share a connection. */
export function testConnections({ describe, it, expect, adapter }: TestFunctions): void {
  describe('one connection', () => {
    it('a guard counts each of several requests in sequence on one connection', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(2)) }])
      const connection = client.connect()
      const statuses: number[] = []
      for (let i = 0; i < 3; i++) {
        connection.send(rawRequest('GET', '/hello'))
        statuses.push((await connection.receive()).status)
      }
      expect(statuses).toEqual([200, 200, 429])
      connection.abort()
    })

    it('a guard counts each of several pipelined requests', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(2)) }])
      const connection = client.connect()
      const request = rawRequest('GET', '/hello')
      connection.send(request, request, request, request)
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) statuses.push((await connection.receive()).status)
      expect(statuses).toEqual([200, 200, 429, 429])
      connection.abort()
    })

    if (adapter.closesUnread !== true)
      it('a connection goes on after a refusal whose body nobody read', async bench => {
        const client = await bench.serve([{ options: { limiter: bench.limiter(limitOf(1)) }, at: '/login' }])
        const connection = client.connect()
        const post = rawRequest(
          'POST',
          '/login',
          { 'Content-Type': 'application/json' },
          `"${'x'.repeat(60_000)}"`,
        )
        connection.send(post)
        expect((await connection.receive()).status).toBe(200)
        connection.send(post)
        expect((await connection.receive()).status).toBe(429)
        connection.send(rawRequest('GET', '/hello'))
        expect((await connection.receive()).status).toBe(200)
        connection.abort()
      })
  })

  if (adapter.http2 === undefined) return
  const get = { ':method': 'GET', ':path': '/hello' }
  const statusOf = (stream: Http2Stream): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      stream.on('response', headers => resolve(headers[':status']))
      stream.on('error', () => reject(new Error('the stream broke')))
      stream.resume()
    })

  describe('an HTTP/2 connection', () => {
    it('a guard counts each stream of an HTTP/2 connection', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(2)) }], { http2: true })
      const session = client.connect2()
      const statuses = await Promise.all(Array.from({ length: 4 }, () => statusOf(session.request(get))))
      expect(statuses.filter(status => status === 200).length).toBe(2)
      expect(statuses.filter(status => status === 429).length).toBe(2)
      session.destroy()
    })

    it('a guard releases a stream that the client resets, and refunds nothing', async bench => {
      const limiter = bench.limiter([
        { name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 },
        { name: 'charged', limit: 5, window: 600 },
      ])
      const { passed, open } = gate()
      const handle = async (): Promise<{ status: number; body: string }> => {
        await passed
        return { status: 200, body: 'ok' }
      }
      const client = await bench.serve([{ limiter, chargeWhen: () => false }], { handle, http2: true })
      const session = client.connect2()
      const stream = session.request(get)
      stream.on('error', () => {})
      await bench.eventually('the handler', () => client.calls.length === 1)
      stream.close(CANCEL)
      await bench.eventually('the release', async () => (await bench.left(limiter)) === 1)
      open()
      expect(await bench.left(limiter, 'charged')).toBe(4)
      session.destroy()
    })
  })
}
