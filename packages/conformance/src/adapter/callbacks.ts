import { limitOf } from './bench.ts'
import type { TestFunctions } from './test-functions.ts'

/** `onLimited`, `policy`, `skip` and `keyExtractor`, and their failures. */
export function testCallbacks({ describe, it, expect, adapter }: TestFunctions): void {
  const reply = (context: unknown): unknown => adapter.answer(context as never, { status: 418, body: 'mine' })
  const broken: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['never settles', () => new Promise(() => {})],
  ]

  describe('onLimited', () => {
    for (const [when, wait] of [
      ['at once', undefined],
      ['later', Promise.resolve()],
    ] as const) {
      it(`onLimited answers ${when}, with the headers of the refusal`, async bench => {
        const limiter = bench.limiter(limitOf(1))
        const onLimited = (_: unknown, context: unknown): unknown =>
          wait === undefined ? reply(context) : wait.then(() => reply(context))
        const client = await bench.serve([{ limiter, onLimited }])
        await client.get()
        const refused = await client.get()
        expect(refused).toMatchObject({ status: 418, body: 'mine' })
        expect(refused.headers).toMatchObject({ 'retry-after': '60', 'ratelimit-remaining': '0' })
      })
    }

    it('onLimited answers with statusCode, unless it sets another status', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const onLimited = (_: unknown, context: unknown): unknown =>
        adapter.answer(context as never, { body: 'mine' })
      const client = await bench.serve([{ limiter, onLimited, statusCode: 420 }])
      await client.get()
      expect(await client.get()).toMatchObject({ status: 420, body: 'mine' })
    })

    it('onLimited gets the decision', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const seen: unknown[] = []
      const onLimited = (decision: unknown, context: unknown): unknown => {
        seen.push(decision)
        return reply(context)
      }
      const client = await bench.serve([{ limiter, onLimited }])
      await client.statuses(2)
      expect(seen.length).toBe(1)
      expect(seen[0]).toMatchObject({ allowed: false, policy: 'p', reason: 'limited', retryAfter: 60 })
    })

    it('the default answer replaces an onLimited that answers nothing, so that no request is left waiting', async bench => {
      const limiter = bench.limiter(limitOf(1), { callbackTimeout: '30ms' })
      const client = await bench.serve([{ limiter, onLimited: async () => {} }])
      await client.get()
      const refused = await client.get()
      expect(refused.status).toBe(429)
      expect(JSON.parse(refused.body)).toMatchObject({ error: 'rate_limit_exceeded' })
      expect(refused.headers['retry-after']).toBe('60')
    })

    for (const [how, onLimited] of broken) {
      it(`the default answer replaces an onLimited that ${how}`, async bench => {
        const limiter = bench.limiter(limitOf(1), { callbackTimeout: '30ms' })
        const client = await bench.serve([{ limiter, onLimited }])
        await client.get()
        const refused = await client.get()
        expect(refused.status).toBe(429)
        expect(JSON.parse(refused.body)).toMatchObject({ error: 'rate_limit_exceeded' })
        expect(refused.headers['retry-after']).toBe('60')
        expect(bench.warned).toEqual(['HALT_W_CALLBACK'])
      })
    }
  })

  describe('policy', () => {
    it('an app with a policy function beside a limiter does not start', async bench => {
      const policy = (() => limitOf(1)) as never
      const started = bench.serve([{ limiter: bench.limiter(limitOf(9)), policy }])
      const error: unknown = await started.then(() => undefined).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'HALT_E_POLICY' })
      expect((error as { fix: string }).fix).toMatch(/^Leave limiter out, halt/)
    })
  })

  describe('skip', () => {
    for (const [how, answer] of [
      ['true', true],
      ['a promise of true', Promise.resolve(true)],
    ] as const) {
      it(`skip leaves a request uncounted on ${how}`, async bench => {
        const limiter = bench.limiter(limitOf(1))
        const skip = (request: unknown): boolean | Promise<boolean> =>
          adapter.header(request as never, 'x-skip') === 'yes' ? answer : false
        const client = await bench.serve([{ limiter, skip }])
        const { status, headers } = await client.get('/hello', { 'x-skip': 'yes' })
        expect([status, headers['ratelimit-limit'], client.calls[0]?.decision]).toEqual([
          200,
          undefined,
          undefined,
        ])
        expect(await client.statuses(2)).toEqual([200, 429])
        expect((await client.get('/hello', { 'x-skip': 'yes' })).status).toBe(200)
      })
    }

    for (const [how, skip] of broken) {
      it(`a guard counts the request where skip ${how}`, async bench => {
        const limiter = bench.limiter(limitOf(1), { callbackTimeout: '30ms' })
        const client = await bench.serve([{ limiter, skip: skip as () => boolean }])
        expect(await client.statuses(2)).toEqual([200, 429])
        expect(bench.warned).toEqual(['HALT_W_CALLBACK'])
      })
    }

    it('a guard counts the request where skip gives any value but true', async bench => {
      const limiter = bench.limiter(limitOf(1))
      const client = await bench.serve([{ limiter, skip: () => 'yes' as unknown as boolean }])
      expect(await client.statuses(2)).toEqual([200, 429])
    })
  })

  describe('keyExtractor', () => {
    it('a guard divides clients by the key that keyExtractor returns', async bench => {
      const keyExtractor = async (request: unknown): Promise<string | undefined> =>
        adapter.header(request as never, 'x-tenant')
      const client = await bench.serve([{ limiter: bench.limiter(limitOf(1, { keyExtractor })) }])
      expect(await client.statuses(2, '/hello', { 'x-tenant': 'a' })).toEqual([200, 429])
      expect(await client.statuses(2, '/hello', { 'x-tenant': 'b' })).toEqual([200, 429])
    })

    for (const [how, keyExtractor] of broken) {
      it(`a guard counts the address where keyExtractor ${how}`, async bench => {
        const policy = limitOf(2, { keyExtractor: keyExtractor as () => string })
        const limiter = bench.limiter(policy, { callbackTimeout: '30ms' })
        const client = await bench.serve([{ limiter }])
        expect(await client.statuses(3)).toEqual([200, 200, 429])
        await bench.eventually('a warning', () => bench.warned.length > 0)
        expect(bench.warned).toEqual(['HALT_W_KEY_EXTRACTOR'])
      })
    }
  })
}
