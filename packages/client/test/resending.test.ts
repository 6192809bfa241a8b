import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { limitedFetch } from '../src/index.ts'
import { backoff } from '../src/waits.ts'
import { anyFetch, limiterOf, SOON } from './scene.ts'
import { serve, serveAnswers } from './server.ts'

afterEach(() => void vi.useRealTimers())

describe('a refused call', () => {
  it.each([429, 503])('a refused call with status %i is sent again, and charged again', async status => {
    const { url, got, host } = await serveAnswers([status, SOON], [status, SOON])
    const { limiter } = limiterOf()
    const response = await limitedFetch({ limiter })(url)
    expect([response.status, await response.text()]).toEqual([200, 'answer 3'])
    expect(got.length).toBe(3)
    expect((await limiter.peek({ custom: host })).remaining).toBe(997)
  })

  it('a refused call is sent again at most as often as told, and then the caller gets the last answer', async () => {
    const { url, got } = await serve((res, nth) => void res.writeHead(429, SOON).end(`no ${nth}`))
    const { limiter } = limiterOf()
    const response = await limitedFetch({ limiter, retry: { most: 2 } })(url)
    expect([response.status, await response.text(), got.length]).toEqual([429, 'no 3', 3])
    expect((await limitedFetch({ limiter })(url)).status).toBe(429)
    expect(got.length).toBe(7)
    expect(await (await limitedFetch({ limiter, retry: false })(url)).text()).toBe('no 8')
  })

  it('a call that is answered with another status is not sent again, unless told', async () => {
    const { url, got } = await serveAnswers([500, SOON], [403, SOON])
    const { limiter } = limiterOf()
    expect((await limitedFetch({ limiter })(url)).status).toBe(500)
    expect((await limitedFetch({ limiter, retry: { on: [403] } })(url)).status).toBe(200)
    expect(got.length).toBe(3)
  })

  it('a call with a status that is to be sent again is not sent again if its server tells to wait beyond maxWait', async () => {
    const { url } = await serveAnswers([500, { 'retry-after-ms': '20000' }])
    const answer = await anyFetch({ retry: { on: [500] }, maxWait: '10s' })(url)
    expect(answer.status).toBe(500)
  })

  it('a refused Request without a body is sent again', async () => {
    const { url, got } = await serveAnswers([429, SOON])
    expect((await anyFetch()(new Request(`${url}/x`))).status).toBe(200)
    expect(got.map(each => each.url)).toEqual(['/x', '/x'])
  })

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('a refused %s is sent again', async method => {
    const { url, got } = await serveAnswers([429, SOON])
    expect((await anyFetch()(url, { method })).status).toBe(200)
    expect(got.map(each => each.method)).toEqual([method, method])
  })

  it.each(['POST', 'PATCH'])('a refused %s is not sent again, unless told', async method => {
    const { url, got } = await serveAnswers([429, SOON], [429, SOON])
    const { limiter } = limiterOf()
    expect((await limitedFetch({ limiter })(url, { method, body: 'x' })).status).toBe(429)
    expect(got.length).toBe(1)
    const retry = { methods: [method.toLowerCase()] }
    expect((await limitedFetch({ limiter, retry })(url, { method, body: 'x' })).status).toBe(200)
    expect(got.map(({ body }) => body)).toEqual(['x', 'x', 'x'])
  })

  it.each([
    ['text', () => 'a=b'],
    ['bytes', () => new TextEncoder().encode('a=b')],
    ['a Blob', () => new Blob(['a=b'])],
    ['a form', () => new URLSearchParams({ a: 'b' })],
  ])('a refused call is sent again with its whole body: %s', async (_name, body) => {
    const { url, got } = await serveAnswers([429, SOON])
    await anyFetch()(url, { method: 'PUT', body: body() })
    expect(got.map(each => each.body)).toEqual(['a=b', 'a=b'])
  })

  it('a refused call with a stream as its body is not sent again, and the stream arrives whole', async () => {
    const { url, got } = await serveAnswers([429, SOON], [429, SOON])
    const { limiter } = limiterOf()
    const body = new Blob(['a streamed body']).stream()
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit
    expect((await limitedFetch({ limiter })(url, init)).status).toBe(429)
    const request = new Request(url, { method: 'PUT', body: 'a body of a Request' })
    expect((await limitedFetch({ limiter })(request)).status).toBe(429)
    expect(got.map(each => each.body)).toEqual(['a streamed body', 'a body of a Request'])
  })

  it('a refused call ends at once if its server tells to wait longer than maxWait', async () => {
    const { url, got } = await serveAnswers([429, { 'retry-after': '60' }])
    const response = await anyFetch({ maxWait: '10s', learn: false })(url)
    expect([response.status, await response.text()]).toEqual([429, 'answer 1'])
    expect(got.length).toBe(1)
  })

  it('a refused call waits for at least as long as its server tells', async () => {
    const { url } = await serveAnswers([429, { 'retry-after': '1' }])
    const started = performance.now()
    expect((await anyFetch()(url)).status).toBe(200)
    // A timer of Node may be a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(998)
  })

  it.each([
    [1, '30s'],
    [40, '30s'],
    [40, '40ms'],
  ])(
    'a refused call that may not pause the counter waits by itself for the %i ms that its server tells, with a maxWait of %s',
    async (ms, maxWait) => {
      vi.useFakeTimers()
      const headers = { 'retry-after-ms': String(ms) }
      const send = vi.fn<typeof fetch>(async () => new Response('', { status: 429, headers }))
      const call = anyFetch({ learn: false, maxWait, retry: { most: 1 }, fetch: send })
      const answer = call('http://example.test/')
      await vi.advanceTimersByTimeAsync(ms - 1)
      expect(send).toHaveBeenCalledTimes(1)
      await vi.advanceTimersByTimeAsync(1)
      expect((await answer).status).toBe(429)
      expect(send).toHaveBeenCalledTimes(2)
    },
  )

  it('a signal that many calls share keeps no listener of a call that was sent again', async () => {
    let nth = 0
    const send = async (): Promise<Response> =>
      nth++ === 0 ? new Response('', { status: 429, headers: SOON }) : new Response('done')
    const { signal } = new AbortController()
    expect(await (await anyFetch({ fetch: send })('http://example.test/', { signal })).text()).toBe('done')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('a refused call is sent again even if the body of its refusal never ends', async () => {
    let isClosed = false
    const { url } = await serve((res, nth) => {
      if (nth > 1) return void res.end('done')
      res.on('close', () => (isClosed = true))
      res.writeHead(429, SOON).write('x'.repeat(100))
    })
    expect(await (await anyFetch()(url)).text()).toBe('done')
    await expect.poll(() => isClosed).toBe(true)
  })

  it('a call whose server tells no wait is sent again after 0.5 s, then twice as long each time, less a part of up to a half', () => {
    expect([1, 2, 3, 7, 20].map(attempt => backoff(attempt, 0))).toEqual([500, 1000, 2000, 30_000, 30_000])
    expect([backoff(1, 0.5), backoff(1, 1), backoff(7, 1)]).toEqual([375, 250, 15_000])
  })
})
