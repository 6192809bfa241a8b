import { limitOf } from './bench.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

const PREFLIGHT = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }

const TEXT = { 'Content-Type': 'text/plain' }
const { Origin: _, ...WITHOUT_ORIGIN } = PREFLIGHT
/** OPTIONS requests that are not preflights: description, headers, body. */
const NO_PREFLIGHTS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['without an Origin', WITHOUT_ORIGIN, ''],
  ['without Access-Control-Request-Method', { Origin: PREFLIGHT.Origin }, ''],
  ['with a body', { ...PREFLIGHT, ...TEXT, 'Content-Length': '2' }, '{}'],
  [
    'with a body in chunks',
    { ...PREFLIGHT, ...TEXT, 'Transfer-Encoding': 'chunked' },
    '2\r\n{}\r\n0\r\n\r\n',
  ],
]

/** Methods, CORS, and responses that middleware before the guards began. */
export function testProtocol({ describe, it, expect, adapter }: TestFunctions): void {
  describe('methods', () => {
    for (const at of [undefined, '/hello'] as const) {
      it(`a guard counts HEAD as GET, ${at === undefined ? 'before the routes' : 'on a route'}`, async bench => {
        const limiter = bench.limiter(limitOf(2, { scope: 'route' }))
        const client = await bench.serve([{ options: { limiter }, at }])
        expect((await client.send('HEAD', '/hello')).headers['ratelimit-remaining']).toBe('1')
        expect((await client.get()).headers['ratelimit-remaining']).toBe('0')
        const refused = await client.send('HEAD', '/hello')
        expect(refused).toMatchObject({ status: 429, body: '' })
        expect(refused.headers['retry-after']).toBe('60')
      })
    }
  })

  describe('CORS', () => {
    it('a guard lets preflights pass uncounted', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const client = await bench.serve([{ limiter }])
      for (let i = 0; i < 3; i++) {
        const connection = client.connect()
        connection.send(rawRequest('OPTIONS', '/hello', PREFLIGHT))
        const { status, headers } = await connection.receive()
        expect([status, headers['ratelimit-limit']]).toEqual([200, undefined])
        connection.abort()
      }
      expect(await bench.left(limiter)).toBe(1)
    })

    it('a guard counts preflights with skipPreflight false, and other OPTIONS requests always', async bench => {
      for (const [skipPreflight, headers] of [
        [false, PREFLIGHT],
        [undefined, {}],
      ] as const) {
        const limiter = bench.limiter(limitOf(1, { name: `p${String(skipPreflight)}` }))
        const client = await bench.serve([{ limiter, skipPreflight }])
        const connection = client.connect()
        connection.send(rawRequest('OPTIONS', '/hello', headers))
        expect((await connection.receive()).status).toBe(200)
        connection.send(rawRequest('OPTIONS', '/hello', headers))
        expect((await connection.receive()).status).toBe(429)
        connection.abort()
      }
    })

    for (const [what, headers, body] of NO_PREFLIGHTS)
      it(`a guard counts an OPTIONS request ${what}`, async bench => {
        const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }])
        const statuses: number[] = []
        for (let i = 0; i < 2; i++) {
          const connection = client.connect()
          connection.send(rawRequest('OPTIONS', '/hello', headers) + body)
          statuses.push((await connection.receive()).status)
          connection.abort()
        }
        expect(statuses).toEqual([200, 429])
      })

    if (adapter.http2 !== undefined)
      it('a guard counts an OPTIONS request over HTTP/2 whose body no header announces', async bench => {
        const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }], { http2: true })
        const session = client.connect2()
        const send = (body?: string): Promise<number | undefined> => {
          const headers = { ':method': 'OPTIONS', ':path': '/hello', ...PREFLIGHT }
          const stream = session.request(headers, { endStream: body === undefined })
          if (body !== undefined) stream.end(body)
          return new Promise((resolve, reject) => {
            stream.on('response', answered => resolve(answered[':status']))
            stream.on('error', () => reject(new Error('the stream broke')))
            stream.resume()
          })
        }
        expect([await send(), await send(), await send('{}'), await send('{}'), await send()]).toEqual([
          200, 200, 200, 429, 200,
        ])
        session.destroy()
      })

    it('a guard exposes its headers to scripts when CORS is on', async bench => {
      const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'X-Own' }
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }], { headers })
      const names = async (): Promise<string[]> => {
        const exposed = (await client.get()).headers['access-control-expose-headers'] ?? ''
        return exposed.split(',').map(name => name.trim().toLowerCase())
      }
      const admitted = await names()
      expect(admitted.toSorted()).toEqual([
        'ratelimit-limit',
        'ratelimit-remaining',
        'ratelimit-reset',
        'x-own',
      ])
      expect((await names()).toSorted()).toEqual([...admitted, 'retry-after'].toSorted())
    })

    it('a guard exposes no header when CORS is off', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }])
      const all = [await client.get(), await client.get()]
      expect(all.map(({ headers }) => headers['access-control-expose-headers'])).toEqual([
        undefined,
        undefined,
      ])
    })
  })

  if (adapter.early !== true) return
  describe('a response that middleware before the guards began', () => {
    it('the handler of an admitted request finishes a response that middleware began', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const client = await bench.serve([{ limiter }], { early: true })
      const { status, body } = await client.get()
      expect([status, body]).toEqual([200, 'early ok'])
      expect(await bench.left(limiter)).toBe(0)
    })

    it('a response that middleware began ends without a second one when the request is refused', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }], { early: true })
      await client.get()
      const connection = client.connect()
      connection.send(rawRequest('GET', '/hello'))
      const all = await connection.rest()
      expect(all.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
      expect(client.calls.length).toBe(1)
    })
  })
}
