import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'

import { limitedFetch, type OutgoingCall } from '../src/index.ts'
import { anyFetch, errorOf, limiterOf, limiterOfOneCall } from './scene.ts'
import { serve, serveAnswers } from './server.ts'

describe('a turn', () => {
  it('calls wait for their turn, and start in the order in which they asked', async () => {
    const { url, got } = await serveAnswers()
    const { limiter } = limiterOf({ limit: 20, window: 1, burst: 1 })
    const fetch = limitedFetch({ limiter })
    const started = performance.now()
    await Promise.all(['/1', '/2', '/3'].map(path => fetch(url + path)))
    expect(performance.now() - started).toBeGreaterThan(95)
    expect(got.map(({ url }) => url)).toEqual(['/1', '/2', '/3'])
  })

  it('a turn that would come after maxWait is refused with the decision, and nothing is sent', async () => {
    const { url, got } = await serveAnswers()
    const { limiter } = limiterOf({ limit: 1 })
    const fetch = limitedFetch({ limiter, maxWait: '1s' })
    await fetch(url)
    const error = await errorOf(fetch(url))
    expect(error).toMatchObject({ code: 'HALT_E_LIMITED', decision: { allowed: false, reason: 'limited' } })
    expect(error.decision.retryAfter).toBeGreaterThan(3000)
    expect(got.length).toBe(1)
  })

  it('a call is charged on the host of the address, or on the key', async () => {
    const { url, host } = await serveAnswers()
    const { limiter } = limiterOf()
    await limitedFetch({ limiter })(new URL(url))
    await limitedFetch({ limiter, key: { user: '42' } })(url)
    await limitedFetch({ limiter, key: 'plain' })(url)
    const left = async (who: Parameters<typeof limiter.peek>[0]) => (await limiter.peek(who)).remaining
    expect(await left({ custom: host })).toBe(999)
    expect(await left({ user: '42' })).toBe(999)
    expect(await left({ custom: 'plain' })).toBe(999)
  })

  it('a call is charged by functions that see it', async () => {
    const { url } = await serveAnswers()
    const { limiter } = limiterOf()
    const seen: OutgoingCall[] = []
    const fetch = limitedFetch({
      limiter,
      key: call => (seen.push(call), { custom: call.headers.get('x-tenant') ?? 'nobody' }),
      cost: ({ method }) => (method === 'POST' ? 10 : 1),
    })
    await fetch(`${url}/a`, { headers: { 'X-Tenant': 'ann' } })
    await fetch(new Request(`${url}/b`, { method: 'POST', body: 'x', headers: { 'X-Tenant': 'ann' } }))
    await fetch(new URL('/c', url), { method: 'post', body: 'x' })
    expect(seen.map(({ url, method }) => [new URL(url).pathname, method])).toEqual([
      ['/a', 'GET'],
      ['/b', 'POST'],
      ['/c', 'POST'],
    ])
    expect((await limiter.peek({ custom: 'ann' })).remaining).toBe(989)
    expect((await limiter.peek({ custom: 'nobody' })).remaining).toBe(990)
  })

  it('the policy of a call leaves units to others, on the counter of the limiter', async () => {
    const { url } = await serveAnswers()
    const { limiter } = limiterOf({ name: 'api', limit: 2, window: 3600 })
    const fetch = limitedFetch({
      limiter,
      key: { custom: 'crm' },
      policy: ({ headers }) =>
        headers.has('x-batch') ? { name: 'api', limit: 2, window: 3600, headroom: 0.5 } : undefined,
    })
    const batch = { headers: { 'X-Batch': '1' } }
    await fetch(url, batch)
    expect((await errorOf(fetch(url, batch))).decision).toMatchObject({ reason: 'reserved' })
    await fetch(url)
    expect((await limiter.peek({ custom: 'crm' })).remaining).toBe(0)
  })

  it('a place of a call in flight ends with the answer or the failure', async () => {
    const { url } = await serveAnswers()
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as { port: number }
    closed.close()
    const limiter = limiterOfOneCall()
    const fetch = limitedFetch({ limiter, key: 'service', maxWait: '5s' })
    await fetch(url)
    expect(await errorOf(fetch(`http://127.0.0.1:${port}`))).toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    })
    expect((await fetch(url)).status).toBe(200)
  })
})

describe('an aborted call', () => {
  const reason = new Error('The user left.')

  it('an aborted call rejects with the reason while it waits for its turn, and is not sent', async () => {
    const { url, got } = await serveAnswers()
    const { limiter } = limiterOf({ limit: 1, window: 20 })
    const fetch = limitedFetch({ limiter })
    await fetch(url)
    const { signal, abort } = withAbort()
    const call = errorOf(fetch(url, { signal }))
    await new Promise(setImmediate)
    abort(reason)
    expect(await call).toBe(reason)
    expect(await errorOf(fetch(new Request(url, { signal })))).toBe(reason)
    expect(got.length).toBe(1)
  })

  it('an aborted call rejects with the reason between two attempts', async () => {
    const { signal, abort } = withAbort()
    const { url, got } = await serve(res => {
      res.writeHead(429, { 'retry-after': '20' }).end()
      setTimeout(() => abort(reason), 50)
    })
    expect(await errorOf(anyFetch()(url, { signal }))).toBe(reason)
    expect(got.length).toBe(1)
  })
})

describe('the answer', () => {
  it('limitedFetch gives the very Response of the given fetch, and does not read it', async () => {
    const response = new Response('untouched')
    const calls: unknown[][] = []
    const own = (...args: unknown[]) => (calls.push(args), Promise.resolve(response))
    const init = { headers: { a: 'b' } }
    const found = await anyFetch({ fetch: own as typeof fetch })('http://x.test/', init)
    expect(found).toBe(response)
    expect(found.bodyUsed).toBe(false)
    expect(calls).toEqual([['http://x.test/', init]])
    expect(calls[0]?.[1]).toBe(init)
  })

  it('an answer arrives before its stream ends', async () => {
    let finish = (): void => {}
    const { url } = await serve(res => {
      res.write('first ')
      finish = () => void res.end('last')
    })
    const response = await anyFetch()(url)
    finish()
    expect(await response.text()).toBe('first last')
  })
})

function withAbort(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: reason => controller.abort(reason) }
}
