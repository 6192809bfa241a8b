import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { Agent, type Dispatcher, fetch as undiciFetch, interceptors, request, upgrade } from 'undici'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'

import { type CallOptions, limitedDispatch, type OutgoingCall } from '../src/index.ts'
import { CallController, type Connection } from '../src/dispatch-controller.ts'
import { errorOf, limiterOf, limiterOfOneCall, SOON } from './scene.ts'
import { serve, serveAnswers } from './server.ts'

const agents: Agent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.destroy()
})

function dispatcherOf(options: Partial<CallOptions> = {}): Dispatcher {
  const agent = new Agent()
  agents.push(agent)
  return agent.compose(limitedDispatch({ limiter: limiterOf().limiter, ...options }))
}

describe('limitedDispatch', () => {
  it('limitedDispatch makes calls of undici wait for their turn', async () => {
    const { url, got } = await serveAnswers()
    const { limiter } = limiterOf({ limit: 20, window: 1, burst: 1 })
    const dispatcher = dispatcherOf({ limiter })
    const started = performance.now()
    const answers = await Promise.all(['/1', '/2', '/3'].map(path => request(url + path, { dispatcher })))
    expect(performance.now() - started).toBeGreaterThan(95)
    expect(await Promise.all(answers.map(({ body }) => body.text()))).toEqual([
      'answer 1',
      'answer 2',
      'answer 3',
    ])
    expect(got.map(({ url }) => url)).toEqual(['/1', '/2', '/3'])
  })

  it('limitedDispatch charges each call to its host and port', async () => {
    const [one, other] = [await serveAnswers(), await serveAnswers()]
    const { limiter } = limiterOf()
    const dispatcher = dispatcherOf({ limiter })
    for (const url of [`${one.url}/a`, `${one.url}/b?c`, other.url])
      await (await request(url, { dispatcher })).body.dump()
    const left = async (custom: string): Promise<number> => (await limiter.peek({ custom })).remaining
    expect([await left(one.host), await left(other.host)]).toEqual([998, 999])
  })

  it('limitedDispatch makes the fetch of Node and of undici wait and repeat', async () => {
    const { url } = await serveAnswers([429, SOON], 200, [429, SOON])
    const dispatcher = dispatcherOf()
    const first = await fetch(url, { dispatcher } as object)
    expect([first.status, await first.text()]).toEqual([200, 'answer 2'])
    const second = await undiciFetch(url, { dispatcher })
    expect([second.status, await second.text()]).toEqual([200, 'answer 4'])
  })

  it('limitedDispatch refuses a turn that would come after maxWait, with the decision', async () => {
    const { url, got } = await serveAnswers()
    const { limiter } = limiterOf({ limit: 1 })
    const dispatcher = dispatcherOf({ limiter, maxWait: 1 })
    await (await request(url, { dispatcher })).body.dump()
    const error = await errorOf(request(url, { dispatcher }))
    expect(error).toMatchObject({ code: 'HALT_E_LIMITED', decision: { allowed: false } })
    expect(got.length).toBe(1)
  })

  it('limitedDispatch shows key and cost the call, with headers in each form of undici', async () => {
    const { url } = await serveAnswers()
    const { limiter } = limiterOf()
    const seen: OutgoingCall[] = []
    const dispatcher = dispatcherOf({
      limiter,
      key: call => (seen.push(call), call.headers.get('x-tenant') ?? 'nobody'),
      cost: () => 10,
    })
    const forms = [
      { 'X-Tenant': 'ann' },
      ['X-Tenant', 'ann'],
      new Headers({ 'x-tenant': 'ann' }),
      new Map([['x-tenant', 'ann']]),
      undefined,
    ]
    for (const headers of forms)
      await (await request(`${url}/a?b`, { dispatcher, headers: headers as never })).body.dump()
    expect(seen[0]).toMatchObject({ url: `${url}/a?b`, method: 'GET' })
    expect((await limiter.peek('ann')).remaining).toBe(960)
    expect((await limiter.peek('nobody')).remaining).toBe(990)
  })

  it('limitedDispatch sends a refused call again, with its body, and not a stream or a POST', async () => {
    const { url, got } = await serveAnswers([503, SOON], 200, [429, SOON], [429, SOON])
    const dispatcher = dispatcherOf()
    const put = await request(url, { dispatcher, method: 'PUT', body: 'whole' })
    expect([put.statusCode, await put.body.text()]).toEqual([200, 'answer 2'])
    const stream = await request(url, { dispatcher, method: 'PUT', body: Readable.from(['streamed']) })
    expect([stream.statusCode, await stream.body.text()]).toEqual([429, 'answer 3'])
    const post = await request(url, { dispatcher, method: 'POST', body: 'once' })
    expect([post.statusCode, await post.body.text()]).toEqual([429, 'answer 4'])
    expect(got.map(({ body }) => body)).toEqual(['whole', 'whole', 'streamed', 'once'])
  })

  it('limitedDispatch waits by itself for as long as a server tells, where it may not pause the counter', async () => {
    const { url, got } = await serveAnswers([429, { 'retry-after-ms': '150' }])
    const started = performance.now()
    const { body } = await request(url, { dispatcher: dispatcherOf({ learn: false }) })
    expect(await body.text()).toBe('answer 2')
    expect(got).toHaveLength(2)
    // A timer of Node may be a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(148)
  })

  it('limitedDispatch gives the last answer after the last attempt, and one that tells to wait beyond maxWait', async () => {
    const { url, got } = await serve((res, nth) => {
      res.writeHead(429, nth > 2 ? { 'retry-after': '60' } : SOON).end(`no ${nth}`)
    })
    const last = await request(url, { dispatcher: dispatcherOf({ retry: { most: 1 } }) })
    expect([last.statusCode, await last.body.text()]).toEqual([429, 'no 2'])
    const long = await request(url, { dispatcher: dispatcherOf({ maxWait: 10 }) })
    expect([long.statusCode, await long.body.text(), got.length]).toEqual([429, 'no 3', 3])
  })

  it('limitedDispatch sends again after a refusal that is too long, or that breaks off', async () => {
    const { url } = await serve((res, nth) => {
      if (nth === 1) res.writeHead(429, SOON).end('x'.repeat(1_000_000))
      else if (nth === 2) {
        res.writeHead(429, { ...SOON, 'content-length': '100' })
        res.write('x', () => res.destroy())
      } else res.end('done')
    })
    expect(await (await request(url, { dispatcher: dispatcherOf() })).body.text()).toBe('done')
  })

  it('limitedDispatch sends again after a refusal that never ends, long or short, and closes it', async () => {
    const closed: string[] = []
    const { url } = await serve((res, nth) => {
      if (nth > 2) return void res.end('done')
      res.on('close', () => void closed.push(`refusal ${nth}`))
      res.writeHead(429, SOON).write('x'.repeat(nth === 1 ? 10 : 200_000))
    })
    expect(await (await request(url, { dispatcher: dispatcherOf() })).body.text()).toBe('done')
    await expect.poll(() => closed).toEqual(['refusal 1', 'refusal 2'])
  })

  it('limitedDispatch closes a long refusal long before it sends the call again', async () => {
    const closed = new Set<number>()
    const { url } = await serve((res, nth) => {
      res.on('close', () => void closed.add(nth))
      if (nth === 1) res.writeHead(429, { 'retry-after': '3600' }).write('x'.repeat(200_000))
    })
    const call = new AbortController()
    const dispatcher = dispatcherOf({ maxWait: '2h' })
    const error = errorOf(request(url, { dispatcher, signal: call.signal }))
    // Long before the call is sent again.
    await expect.poll(() => closed.has(1)).toBe(true)
    call.abort(new Error('enough'))
    expect((await error).message).toBe('enough')
  })

  it('a delayed connection passes an abort and a pause on, whenever the connection comes', () => {
    const told: string[] = []
    const connection = (): Connection => ({
      aborted: false,
      paused: false,
      reason: null,
      abort: reason => void told.push(`abort: ${reason.message}`),
      pause: () => void told.push('pause'),
      resume: () => void told.push('resume'),
    })
    const early = new CallController()
    early.pause()
    early.abort(new Error('early'))
    early.abort(new Error('twice'))
    expect([early.paused, early.aborted, (early.reason as Error).message]).toEqual([true, true, 'early'])
    early.connect(connection())
    expect(told.splice(0)).toEqual(['pause', 'abort: early'])

    const late = new CallController()
    late.connect(connection())
    late.pause()
    late.resume()
    late.abort(new Error('late'))
    late.abort(new Error('twice'))
    expect(told).toEqual(['pause', 'resume', 'abort: late'])
  })

  it('limitedDispatch pauses the shared counter', async () => {
    const { url } = await serveAnswers([200, { RateLimit: '"a";r=0;t=100' }])
    const { limiter } = limiterOf()
    await (await request(url, { dispatcher: dispatcherOf({ limiter }) })).body.dump()
    const error = await errorOf(request(url, { dispatcher: dispatcherOf({ limiter, maxWait: 1 }) }))
    expect(error.decision.retryAfter).toBeGreaterThan(50)
  })

  it('a call can be aborted before its turn, between attempts, and while it answers', async () => {
    const reason = new Error('The user left.')
    const { limiter } = limiterOf({ limit: 1, window: 20 })
    const full = dispatcherOf({ limiter })
    const { url, got } = await serve((res, nth) => {
      if (nth === 2) res.writeHead(429, { 'retry-after': '20' }).end()
      else if (nth === 3) res.write('begins')
      else res.end()
    })
    await (await request(url, { dispatcher: full })).body.dump()

    const waiting = new AbortController()
    const early = errorOf(request(url, { dispatcher: full, signal: waiting.signal }))
    await new Promise(setImmediate)
    waiting.abort(reason)
    expect(await early).toBe(reason)
    expect(await errorOf(request(url, { dispatcher: full, signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(got.length).toBe(1)

    const between = new AbortController()
    const second = errorOf(request(url, { dispatcher: dispatcherOf(), signal: between.signal }))
    await expect.poll(() => got.length).toBe(2)
    setTimeout(() => between.abort(reason), 50)
    expect(await second).toBe(reason)
    expect(got.length).toBe(2)

    const late = new AbortController()
    const { body } = await request(url, { dispatcher: dispatcherOf(), signal: late.signal })
    const broken = once(body, 'error')
    late.abort(reason)
    expect((await broken)[0]).toBe(reason)
  })

  it('a call that is aborted before its answer begins closes its connection', async () => {
    let isClosed = false
    const { url, got } = await serve(res => void res.on('close', () => (isClosed = true)))
    const call = new AbortController()
    const error = errorOf(request(url, { dispatcher: dispatcherOf(), signal: call.signal }))
    await expect.poll(() => got.length).toBe(1)
    const reason = new Error('The user left.')
    call.abort(reason)
    await expect.poll(() => isClosed).toBe(true)
    expect(await error).toBe(reason)
  })

  it('the context of a call has the addresses over which redirects led it', async () => {
    const { url } = await serve((res, _nth, { url: path }) =>
      path === '/old' ? res.writeHead(302, { location: '/new' }).end() : res.end('moved'),
    )
    const agent = new Agent()
    agents.push(agent)
    const follows = interceptors.redirect({ maxRedirections: 3 })
    const dispatcher = agent.compose(follows, limitedDispatch({ limiter: limiterOf().limiter }))
    const { body, context } = await request(`${url}/old`, { dispatcher })
    expect(await body.text()).toBe('moved')
    const { history } = context as { history: URL[] }
    expect(history.map(String)).toEqual([`${url}/old`, `${url}/new`])
  })

  it('a call that becomes another protocol frees its place while its connection stays', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    server.on('upgrade', (_req, socket) => {
      onTestFinished(() => void socket.destroy())
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
    })
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const limiter = limiterOfOneCall()
    const dispatcher = dispatcherOf({ limiter, key: 'service', maxWait: 20 })
    const { socket } = await upgrade(url, { dispatcher, protocol: 'chat' })
    onTestFinished(() => void socket.destroy())
    await expect.poll(async () => (await limiter.peek('service')).remaining).toBe(1)
  })

  it('a call in flight frees its place when the answer has ended, or the call has failed', async () => {
    let finish = (): void => {}
    const { url, got } = await serve((res, nth) => {
      if (nth > 1) return void res.end()
      res.write('first ')
      finish = () => void res.end('last')
    })
    const limiter = limiterOfOneCall()
    const dispatcher = dispatcherOf({ limiter, key: 'service', maxWait: 20 })
    const failed = await errorOf(request('http://127.0.0.1:1/', { dispatcher }))
    expect(failed.code).toBe('ECONNREFUSED')
    const first = await request(url, { dispatcher })
    const second = request(url, { dispatcher })
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(got.length).toBe(1)
    finish()
    expect(await first.body.text()).toBe('first last')
    expect((await second).statusCode).toBe(200)
  })

  it('limitedDispatch refuses the handlers of undici 6', () => {
    const dispatch = limitedDispatch({ limiter: limiterOf().limiter })(() => true)
    expect(() => dispatch({ path: '/', method: 'GET', origin: 'http://x.test' }, { onConnect() {} })).toThrow(
      expect.objectContaining({ code: 'HALT_E_OPTION' }),
    )
  })
})
