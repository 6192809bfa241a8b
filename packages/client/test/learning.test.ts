import { InMemoryStore, type InMemoryStoreOptions } from '@halt/store-memory'
import { Agent, interceptors, request } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { type CallOptions, limitedDispatch, limitedFetch } from '../src/index.ts'
import { errorOf, limiterOf } from './scene.ts'
import { serve, serveAnswers } from './server.ts'

const inSeconds = (seconds: number): string => String(Math.ceil(Date.now() / 1000) + seconds)

/** How long the shared counter refuses calls after one call with this answer, in seconds; 0 if it refuses none. */
async function pauseAfter(
  status: number,
  headers: Record<string, string>,
  options: { learn?: boolean | 'refusals' } = {},
  storeOptions: InMemoryStoreOptions = {},
): Promise<{ pause: number; warned: string[] }> {
  const { url } = await serveAnswers([status, headers])
  const here = limiterOf({}, new InMemoryStore(storeOptions))
  // Another process on the same store.
  const there = limiterOf({}, here.store)
  await limitedFetch({ limiter: here.limiter, retry: false, ...options })(url)
  const warned = here.warned
  const call = limitedFetch({ limiter: there.limiter, maxWait: '1ms' })(url)
  return call.then(
    () => ({ pause: 0, warned }),
    (error: { decision: { retryAfter: number } }) => ({ pause: error.decision.retryAfter, warned }),
  )
}

describe('an answer pauses the shared counter', () => {
  it.each([403, 429, 503])('status %i pauses the counter for as long as Retry-After tells', async status => {
    const { pause } = await pauseAfter(status, { 'retry-after': '120' })
    expect(pause).toBeGreaterThan(60)
    expect(pause).toBeLessThanOrEqual(120)
  })

  it('a pause takes neither more nor less than what Retry-After tells, by the clock of the store', async () => {
    const clock = (): number => 1_795_536_000_000
    expect((await pauseAfter(429, { 'retry-after': '7200' }, {}, { clock })).pause).toBe(7200)
  })

  it('an answer of a server with nothing left pauses the counter until the reset', async () => {
    const headers = {
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': inSeconds(90),
    }
    const { pause } = await pauseAfter(200, headers)
    expect(pause).toBeGreaterThan(30)
    expect(pause).toBeLessThanOrEqual(91)
  })

  it('an answer pauses the counter until the last reset of the limits that have nothing left', async () => {
    const { pause } = await pauseAfter(429, { RateLimit: '"a";r=0;t=80, "b";r=0;t=120, "c";r=1;t=9000' })
    expect(pause).toBeGreaterThan(60)
    expect(pause).toBeLessThanOrEqual(120)
  })

  it('a refusal with Retry-After and a later reset pauses the counter for as long as Retry-After tells', async () => {
    const { pause } = await pauseAfter(429, { 'retry-after': '120', RateLimit: '"day";r=0;t=80000' })
    expect(pause).toBeGreaterThan(60)
    expect(pause).toBeLessThanOrEqual(120)
  })

  it('a 429 that tells nothing pauses the counter for a moment, and the next one for longer', async () => {
    const { url } = await serveAnswers(429, 429)
    const { limiter } = limiterOf()
    const pause = vi.spyOn(limiter, 'pause')
    await limitedFetch({ limiter, retry: { most: 1 } })(url)
    const [first = 0, second = 0] = pause.mock.calls.map(([, options]) => Number(options?.for))
    expect(first).toBeGreaterThanOrEqual(0.25)
    expect(first).toBeLessThanOrEqual(0.5)
    expect(second).toBeGreaterThanOrEqual(0.5)
    expect(second).toBeLessThanOrEqual(1)
  })

  it('an answer pauses the counter for at most 24 hours, with a warning', async () => {
    for (const headers of [{ 'retry-after': '315360000' }, { RateLimit: '"year";r=0;t=31000000' }]) {
      const { pause, warned } = await pauseAfter(429, headers)
      expect(pause).toBeGreaterThan(80_000)
      expect(pause).toBeLessThanOrEqual(86_400)
      expect(warned).toEqual(['HALT_W_RETRY_AFTER'])
    }
  })
})

describe('an answer pauses nothing', () => {
  const reset = inSeconds(90)

  it.each([
    ['if something is left', 200, { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset }],
    [
      'if the reset is in the past',
      200,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(-60) },
    ],
    ['if the count is negative', 200, { 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': reset }],
    [
      'if the count is above the limit',
      200,
      { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': reset },
    ],
    [
      'if it comes from a cache',
      200,
      { age: '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
    ],
    ['if it was served and has a Retry-After', 202, { 'retry-after': '60' }],
    ['if a 503 tells nothing', 503, {}],
    [
      'if its headers are garbage',
      403,
      { 'retry-after': 'soon', RateLimit: ';;;', 'x-ratelimit-reset': '-' },
    ],
  ])('an answer pauses nothing %s', async (_name, status, headers) => {
    expect(await pauseAfter(status, headers as Record<string, string>)).toEqual({ pause: 0, warned: [] })
  })

  it('an answer pauses nothing with learn: false', async () => {
    expect((await pauseAfter(429, { 'retry-after': '60' }, { learn: false })).pause).toBe(0)
  })

  it('an answer that is no refusal pauses nothing with learn: "refusals"', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }
    expect((await pauseAfter(200, headers, { learn: 'refusals' })).pause).toBe(0)
    expect((await pauseAfter(429, headers, { learn: 'refusals' })).pause).toBeGreaterThan(30)
  })
})

describe('a pause', () => {
  it('a pause holds for the key of its call alone', async () => {
    const { url } = await serveAnswers([429, { 'retry-after': '60' }])
    const { limiter } = limiterOf()
    const fetch = limitedFetch({
      limiter,
      key: ({ url }) => ({ custom: new URL(url).pathname }),
      maxWait: 1,
      retry: false,
    })
    await fetch(`${url}/a`)
    expect((await fetch(`${url}/b`)).status).toBe(200)
    expect(await errorOf(fetch(`${url}/a`))).toMatchObject({ code: 'HALT_E_LIMITED' })
  })

  it('a pause is in force for all processes once the caller has the answer, even if the store is slow', async () => {
    const { url } = await serveAnswers([429, { 'retry-after': '60' }])
    const { limiter } = limiterOf()
    const slow = {
      acquire: limiter.acquire.bind(limiter),
      release: limiter.release.bind(limiter),
      warn: limiter.warn,
      async pause(...args: Parameters<typeof limiter.pause>) {
        await new Promise(resolve => setTimeout(resolve, 20))
        return limiter.pause(...args)
      },
    }
    await limitedFetch({ limiter: slow as never, retry: false })(url)
    const there = limitedFetch({ limiter, maxWait: 1 })
    expect(await errorOf(there(url))).toMatchObject({ code: 'HALT_E_LIMITED' })
  })

  it('a pause that the store refuses does not break the call', async () => {
    const { url } = await serveAnswers([429, { 'retry-after-ms': '5' }])
    const { limiter } = limiterOf()
    const away = (): Promise<never> => Promise.reject(new Error('The store is away.'))
    const broken = {
      acquire: limiter.acquire.bind(limiter),
      warn: limiter.warn,
      pause: away,
      release: away,
    }
    expect((await limitedFetch({ limiter: broken as never })(url)).status).toBe(200)
  })
})

describe('an answer of another host, to which a redirect led,', () => {
  const redirectors: readonly (readonly [
    string,
    (options: CallOptions) => (url: string) => Promise<number>,
  ])[] = [
    ['limitedFetch', options => async url => (await limitedFetch(options)(url)).status],
    [
      'limitedDispatch over a redirect of undici',
      options => async url => {
        const agent = new Agent()
        onTestFinished(() => agent.destroy())
        const follows = interceptors.redirect({ maxRedirections: 3 })
        const dispatcher = agent.compose(follows, limitedDispatch(options))
        const answer = await request(url, { dispatcher })
        await answer.body.dump()
        return answer.statusCode
      },
    ],
  ]
  it.each(redirectors)('an answer of another host pauses nothing, by %s', async (_name, open) => {
    const elsewhere = await serveAnswers([429, { 'retry-after': '86400' }])
    const here = await serve((res, _nth, { url = '' }) =>
      url === '/away' ? res.writeHead(302, { location: elsewhere.url }).end() : res.end('ok'),
    )
    const { limiter } = limiterOf()
    const call = open({ limiter, maxWait: '1ms', retry: false })
    expect(await call(`${here.url}/away`)).toBe(429)
    expect(await call(`${here.url}/`)).toBe(200)
  })

  it.each(redirectors)('a pause follows a redirect within one host, by %s', async (_name, open) => {
    const { url } = await serve((res, _nth, { url: path = '' }) =>
      path === '/away'
        ? res.writeHead(302, { location: '/there' }).end()
        : res.writeHead(429, { 'retry-after': '60' }).end(),
    )
    const { limiter } = limiterOf()
    const call = open({ limiter, maxWait: '1ms', retry: false })
    expect(await call(`${url}/away`)).toBe(429)
    expect(await errorOf(call(`${url}/`))).toMatchObject({ code: 'HALT_E_LIMITED' })
  })
})
