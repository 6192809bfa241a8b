import type { HeaderDialect } from '@halt/core/http'

import { type Bench, limitOf } from './bench.ts'
import type { TestFunctions } from './test-functions.ts'

/** Statuses, headers and bodies of admitted and of refused requests. */
export function testAnswers({ describe, it, expect }: TestFunctions): void {
  const resetAt = ({ clock }: Bench): string => String(clock.now() / 1000 + 60)

  describe('statuses and bodies', () => {
    it('a guard admits requests up to the limit, and answers the next one with 429', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(2)) }])
      const first = await client.get()
      expect(first).toMatchObject({ status: 200, body: 'ok' })
      expect(first.headers).toMatchObject({
        'ratelimit-limit': '2',
        'ratelimit-remaining': '1',
        'ratelimit-reset': resetAt(bench),
      })
      expect(first.headers['retry-after']).toBe(undefined)
      expect((await client.get()).headers['ratelimit-remaining']).toBe('0')
      const refused = await client.get()
      expect(refused.status).toBe(429)
      expect(refused.headers).toMatchObject({
        'ratelimit-limit': '2',
        'ratelimit-remaining': '0',
        'ratelimit-reset': resetAt(bench),
        'retry-after': '60',
        'cache-control': 'no-store',
      })
      expect(client.calls.length).toBe(2)
    })

    it('a guard admits a client again after Retry-After, and not a millisecond before', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }])
      expect(await client.statuses(2)).toEqual([200, 429])
      bench.clock.advance('59999ms')
      const refused = await client.get()
      expect(refused).toMatchObject({ status: 429 })
      expect(refused.headers['retry-after']).toBe('1')
      bench.clock.advance('1ms')
      expect(await client.statuses(2)).toEqual([200, 429])
    })

    it('a guard refuses in JSON', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)) }])
      await client.get()
      const { headers, body } = await client.get()
      expect(headers['content-type']).toMatch(/^application\/json/)
      expect(JSON.parse(body)).toEqual({
        error: 'rate_limit_exceeded',
        message: 'Too many requests. Please try again later.',
        retry_after: 60,
      })
    })

    it('a guard refuses with reason and policy with errorFormat "detailed"', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)), errorFormat: 'detailed' }])
      await client.get()
      const { headers, body } = await client.get()
      expect(headers['content-type']).toMatch(/^application\/json/)
      expect(JSON.parse(body)).toMatchObject({ retry_after: 60, reason: 'limited', policy: 'p', limit: 1 })
    })

    it('a guard refuses in problem details with errorFormat "problem"', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)), errorFormat: 'problem' }])
      await client.get()
      const { headers, body } = await client.get()
      expect(headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(JSON.parse(body)).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        status: 429,
        retry_after: 60,
        'violated-policies': ['p'],
      })
    })

    it('a guard refuses with the status of statusCode', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)), statusCode: 420 }])
      expect(await client.statuses(2)).toEqual([200, 420])
    })

    it('a guard refuses with 402 and without Retry-After where a budget is used up, and as any other where requests hold it', async bench => {
      const anchor = new Date(bench.clock.now() - 60_000)
      const budget = {
        name: 'day',
        limit: 1,
        period: 'daily',
        anchor,
        status: 402,
        keyStrategy: 'ip',
      } as const
      const limiter = bench.limiter(budget)
      const client = await bench.serve([{ limiter, statusCode: 420 }])
      const call = await limiter.reserve({ ip: '127.0.0.1' }, { cost: 1, ttl: '60s' })
      const held = await client.get()
      expect([held.status, Number(held.headers['retry-after']) >= 60]).toEqual([420, true])
      expect(held.body).toMatch(/still running/)
      await call.cancel()
      expect((await client.get()).status).toBe(200)
      const { status, headers, body } = await client.get()
      expect([status, headers['retry-after'], headers['cache-control']]).toEqual([402, undefined, 'no-store'])
      expect(JSON.parse(body)).toMatchObject({ error: 'budget_exceeded', policy: 'day', retry_after: null })
    })

    it('a guard shows the decision to handlers', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(5)) }])
      await client.get()
      expect(client.calls[0]?.decision).toMatchObject({
        allowed: true,
        policy: 'p',
        remaining: 4,
        key: 'ip:127.0.0.1',
      })
    })
  })

  const dialects: readonly [HeaderDialect, Record<string, string>, Record<string, string>][] = [
    [
      'draft-6',
      {
        'ratelimit-policy': '2;w=60',
        'ratelimit-limit': '2',
        'ratelimit-remaining': '1',
        'ratelimit-reset': '60',
      },
      { 'ratelimit-remaining': '0', 'ratelimit-reset': '60' },
    ],
    [
      'draft-7',
      { 'ratelimit-policy': '2;w=60', ratelimit: 'limit=2, remaining=1, reset=60' },
      { ratelimit: 'limit=2, remaining=0, reset=60' },
    ],
    [
      'draft-8',
      {
        'ratelimit-policy': '"p"; q=2; w=60; pk=:…:, "big"; q=9; w=60; pk=:…:',
        ratelimit: '"p"; r=1; t=60, "big"; r=8; t=60',
      },
      { ratelimit: '"p"; r=0; t=60, "big"; r=7; t=60' },
    ],
    [
      'draft-11',
      { 'ratelimit-policy': '"p";q=2;w=60, "big";q=9;w=60', ratelimit: '"p";r=1;t=60, "big";r=8;t=60' },
      { ratelimit: '"p";r=0;t=60, "big";r=7;t=60' },
    ],
    [
      'x-ratelimit',
      { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '1', 'x-ratelimit-used': '1' },
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-used': '2' },
    ],
    [
      'openai',
      {
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '1',
        'x-ratelimit-reset-requests': '1m0s',
      },
      { 'x-ratelimit-remaining-requests': '0' },
    ],
    [decision => ({ 'X-Left': String(decision.remaining) }), { 'x-left': '1' }, { 'x-left': '0' }],
  ]

  describe('headers', () => {
    for (const [headers, admitted, refused] of dialects) {
      it(`the headers of a guard speak ${typeof headers === 'string' ? headers : 'a dialect of its own'}`, async bench => {
        const limiter = bench.limiter([limitOf(2), limitOf(9, { name: 'big' })])
        const client = await bench.serve([{ limiter, headers }])
        expect(withoutPartitions((await client.get()).headers)).toMatchObject(admitted)
        await client.get()
        const last = await client.get()
        expect(last.headers).toMatchObject({ ...refused, 'retry-after': '60' })
        expect(last.status).toBe(429)
      })
    }

    it('a guard sends only Retry-After when headers are off', async bench => {
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1)), headers: false }])
      const admitted = await client.get()
      const refused = await client.get()
      expect(
        Object.keys({ ...admitted.headers, ...refused.headers }).filter(name => name.includes('ratelimit')),
      ).toEqual([])
      expect(refused.headers['retry-after']).toBe('60')
    })

    it('a guard answers without the headers of a function that makes invalid ones, and warns', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const client = await bench.serve([{ limiter, headers: () => ({ 'X-Key': 'a\r\nSet-Cookie: b' }) }])
      expect(await client.statuses(2)).toEqual([200, 429])
      expect(bench.warned).toEqual(['HALT_W_HEADERS'])
    })
  })
}

/** Headers with `…` in place of each partition key, which is a digest. */
function withoutPartitions(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value.replaceAll(/pk=:[\w+/=]+:/g, 'pk=:…:')]),
  )
}
