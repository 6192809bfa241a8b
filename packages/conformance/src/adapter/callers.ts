import { limitOf } from './bench.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

/** Addresses, users and API keys, and requests that are not counted. */
export function testCallers({ describe, it, expect, adapter }: TestFunctions): void {
  const forwarded = (i: number): Record<string, string> => ({ 'X-Forwarded-For': `203.0.113.${i}` })

  describe('the client address', () => {
    it('a guard counts the peer, whatever X-Forwarded-For says, while no proxy is trusted', async bench => {
      const limiter = bench.limiter(limitOf(3), { exemptPrivateIps: true })
      const client = await bench.serve([{ limiter }])
      const statuses: number[] = []
      for (let i = 0; i < 6; i++) statuses.push((await client.get('/hello', forwarded(i))).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429, 429])
      expect(client.calls[0]?.decision).toMatchObject({ key: 'ip:127.0.0.1' })
      expect(bench.warned).toEqual(['HALT_W_UNTRUSTED_PROXY'])
    })

    it('a guard counts the address that a trusted proxy appends, whatever the client wrote before it', async bench => {
      const limiter = bench.limiter(limitOf(1), { trustedProxies: ['loopback'] })
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(2, '/hello', forwarded(1))).toEqual([200, 429])
      expect(await client.statuses(2, '/hello', forwarded(2))).toEqual([200, 429])
      const spoofed = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.1' }
      expect(await client.statuses(1, '/hello', spoofed)).toEqual([429])
    })

    it('a guard reads an address from several header lines as from one', async bench => {
      const limiter = bench.limiter(limitOf(1), { trustedProxies: ['loopback'] })
      const client = await bench.serve([{ limiter }])
      await client.get('/hello', forwarded(1))
      const connection = client.connect()
      const lines = 'X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.1\r\n'
      connection.send(`GET /hello HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`)
      expect((await connection.receive()).status).toBe(429)
      connection.abort()
    })

    it('a guard does not count a private address, unless it forwards requests of others', async bench => {
      const limiter = bench.limiter(limitOf(1), { exemptPrivateIps: true })
      const client = await bench.serve([{ limiter }])
      const { status, headers } = await client.get()
      expect([status, headers['ratelimit-limit']]).toEqual([200, undefined])
      expect(client.calls[0]?.decision).toMatchObject({ allowed: true, reason: 'exempt' })
      expect(await client.statuses(2)).toEqual([200, 200])
      expect(await client.statuses(2, '/hello', forwarded(1))).toEqual([200, 429])
    })

    if (adapter.hidesVersion !== true)
      it('a guard counts a private address that speaks HTTP/1.0, as proxies do', async bench => {
        const limiter = bench.limiter(limitOf(1), { exemptPrivateIps: true })
        const client = await bench.serve([{ limiter }])
        const statuses: string[] = []
        for (let i = 0; i < 3; i++) {
          const connection = client.connect()
          connection.send('GET /hello HTTP/1.0\r\nHost: localhost\r\n\r\n')
          statuses.push((await connection.rest()).slice(9, 12))
        }
        expect(statuses).toEqual(['200', '429', '429'])
        expect(bench.warned).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      })

    it('a guard counts a trusted proxy that names no client, although its address is private', async bench => {
      const limiter = bench.limiter(limitOf(1), { exemptPrivateIps: true, trustedProxies: ['loopback'] })
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(3)).toEqual([200, 429, 429])
    })
  })

  describe('the user', () => {
    const policy = limitOf(1, { keyStrategy: 'user' })

    it('a guard gives each user a counter', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(policy) }])
      expect(await client.statuses(2, '/hello', { 'X-User': 'ann' })).toEqual([200, 429])
      expect(await client.statuses(2, '/hello', { 'X-User': 'bob' })).toEqual([200, 429])
      expect(client.calls[0]?.decision).toMatchObject({ key: 'user:ann' })
    })

    it('a guard counts the address where there is no user', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(policy) }])
      expect(await client.statuses(2)).toEqual([200, 429])
      expect(client.calls[0]?.decision).toMatchObject({ key: 'ip:127.0.0.1' })
    })

    it('a guard with onMissingKey "deny" refuses a request without a user, without Retry-After', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter({ ...policy, onMissingKey: 'deny' }) }])
      const { status, headers, body } = await client.get()
      expect([status, headers['retry-after'], JSON.parse(body).retry_after]).toEqual([429, undefined, null])
      expect((await client.get('/hello', { 'X-User': 'ann' })).status).toBe(200)
    })

    it('a guard with onMissingKey "allow" admits a request without a user', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter({ ...policy, onMissingKey: 'allow' }) }])
      expect(await client.statuses(3)).toEqual([200, 200, 200])
    })
  })

  describe('an API key', () => {
    it('an API key has its own counter, but an address with invented ones gets at most keysPerAddress limits', async bench => {
      const limiter = bench.limiter(limitOf(1, { keyStrategy: 'api-key' }), { keysPerAddress: 2 })
      const client = await bench.serve([{ limiter }])
      const statuses: number[] = []
      for (const key of ['a', 'a', 'b', 'c', 'd'])
        statuses.push((await client.get('/hello', { 'X-API-Key': key })).status)
      expect(statuses).toEqual([200, 429, 200, 429, 429])
    })
  })

  describe('exemptions', () => {
    it('a guard leaves health checks uncounted, by exact path, GET and HEAD', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }])
      expect(await client.statuses(3, '/health')).toEqual([200, 200, 200])
      expect((await client.send('HEAD', '/health')).status).toBe(200)
      const { headers } = await client.get('/health?verbose')
      expect(headers['ratelimit-limit']).toBe(undefined)
      expect((await client.post('/health')).headers['ratelimit-remaining']).toBe('0')
      expect((await client.get('/items/health')).status).toBe(429)
    })

    it('a guard leaves exempt paths uncounted, but never an ambiguous one', async bench => {
      const limiter = bench.limiter(limitOf(1, { exemptions: ['/items'] }))
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(3, '/items/1')).toEqual([200, 200, 200])
      expect(await client.statuses(2, '/items/%31')).toEqual([200, 429])
      const connection = client.connect()
      connection.send(rawRequest('GET', '/items/../hello'))
      expect((await connection.receive()).status).toBe(429)
      connection.abort()
    })

    it('a guard leaves exempt addresses uncounted', async bench => {
      const limiter = bench.limiter(limitOf(1, { exemptions: ['127.0.0.0/8'] }))
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(3)).toEqual([200, 200, 200])
    })
  })
}
