import { type Bench, limitOf } from './bench.ts'
import type { Call, Http2Session, Http2Stream, Reply, SuiteOptions } from './contract.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

// Larger than the buffers of a socket on both sides.
const DOWNLOAD = 'x'.repeat(2 ** 25)
const LIMIT = 3
const IN_FLIGHT = 7
const GUESSES = 30
const ROUNDS = 3
/** Seconds after which the lease of a request has ended. */
const LEASE = 67

/** Clients that do not read their responses. */
export function testUnread({ describe, it, expect, adapter }: TestFunctions): void {
  const policy = limitOf(LIMIT, { window: 3600, inFlight: IN_FLIGHT })
  const chargeWhen: SuiteOptions['chargeWhen'] = response => adapter.status(response as never) === 401
  const wrong = ({ path }: Call): Reply =>
    path === '/login' ? { status: 401, body: 'wrong' } : { status: 200, body: DOWNLOAD }
  const right = ({ path }: Call): Reply => ({ status: 200, body: path === '/login' ? 'ok' : DOWNLOAD })
  const login = rawRequest('POST', '/login')
  const download = rawRequest('GET', '/hello')

  if (adapter.inSequence !== true)
    describe('a client that does not read', () => {
      it('gets no more guesses behind a download than the policy allows', async bench => {
        const limiter = bench.limiter(policy)
        const client = await bench.serve([{ options: { limiter, chargeWhen }, at: '/login' }], {
          handle: wrong,
        })
        const sockets = []
        for (let round = 0; round < ROUNDS; round++) {
          const socket = client.connectDeaf()
          sockets.push(socket)
          socket.write(download + login.repeat(GUESSES))
          await bench.eventually('the charges', async () => (await bench.left(limiter)) === 0)
          bench.clock.advance(LEASE)
        }
        const tried = client.calls.filter(({ path }) => path === '/login').length
        expect(tried >= LIMIT).toBe(true)
        expect(tried).toBeLessThan(LIMIT + IN_FLIGHT + 1)
        for (const socket of sockets) socket.destroy()
      })

      it('frees its inFlight place when the application has decided the response', async bench => {
        const limiter = bench.limiter({ ...policy, inFlight: 1 })
        const client = await bench.serve([{ options: { limiter, chargeWhen }, at: '/login' }], {
          handle: right,
        })
        const socket = client.connectDeaf()
        socket.write(download + login)
        await bench.eventually('the login', () => client.calls.some(({ path }) => path === '/login'))
        await bench.eventually('another login', async () => (await client.post('/login')).status === 200)
        expect(await bench.left(limiter)).toBe(LIMIT)
        socket.destroy()
      })

      it('keeps its places of a concurrency policy until it leaves', async bench => {
        const limiter = bench.limiter({ name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 })
        const client = await bench.serve([{ options: { limiter }, at: '/hello' }], { handle: right })
        const socket = client.connectDeaf()
        socket.write(download + login)
        await bench.eventually('the login behind the download', () => client.calls.length === 2)
        expect((await client.send('HEAD', '/hello')).status).toBe(429)
        socket.destroy()
        await bench.eventually('the release', async () => (await bench.left(limiter)) === 1)
      })
    })

  if (adapter.http2 === undefined) return
  const answered = (stream: Http2Stream): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      stream.on('response', headers => resolve(headers[':status']))
      stream.on('error', () => reject(new Error('the stream broke')))
    })
  const ask = (session: Http2Session, method: string, path: string): Promise<number | undefined> =>
    answered(session.request({ ':method': method, ':path': path }, { endStream: true }))
  const deaf = { settings: { initialWindowSize: 0 } }
  const serve = (
    bench: Bench,
    options: SuiteOptions,
    handle: (call: Call) => Reply,
  ): ReturnType<Bench['serve']> => bench.serve([{ options, at: '/login' }], { handle, http2: true })

  describe('an HTTP/2 client whose window is 0', () => {
    it('sees the results of no more guesses than the policy allows', async bench => {
      const limiter = bench.limiter(policy)
      const client = await serve(bench, { limiter, chargeWhen }, wrong)
      const sessions = []
      const seen: (number | undefined)[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const session = client.connect2(deaf)
        sessions.push(session)
        const guesses = Array.from({ length: GUESSES }, () => ask(session, 'POST', '/login'))
        seen.push(...(await Promise.all(guesses)))
        await bench.eventually('the charges', async () => (await bench.left(limiter)) === 0)
        bench.clock.advance(LEASE)
      }
      const tried = seen.filter(status => status === 401).length
      expect(tried >= LIMIT).toBe(true)
      expect(tried).toBeLessThan(LIMIT + IN_FLIGHT + 1)
      for (const session of sessions) session.destroy()
    })

    it('keeps its places of a concurrency policy until it leaves', async bench => {
      const limiter = bench.limiter({ name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 })
      const handle = (): Reply => ({ status: 200, body: 'ok' })
      // Not a POST, because some servers reset a stream whose body nobody has read.
      const client = await bench.serve([{ options: { limiter }, at: '/hello' }], { handle, http2: true })
      const session = client.connect2(deaf)
      expect(await ask(session, 'GET', '/hello')).toBe(200)
      expect(await ask(session, 'GET', '/hello')).toBe(429)
      session.destroy()
      await bench.eventually('the release', async () => (await bench.left(limiter)) === 1)
    })
  })
}
