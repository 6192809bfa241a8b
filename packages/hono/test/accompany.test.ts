import { connect as connect2, constants } from 'node:http2'
import { connect } from 'node:net'
import { RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { type Context, Hono } from 'hono'
import { stream } from 'hono/streaming'
import { describe, expect, it, vi } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { listen } from './adapter.ts'

const busy = { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 600, keyStrategy: 'shared' } as const
const many = { name: 'many', limit: 5, window: 60, algorithm: 'fixed-window', keyStrategy: 'shared' } as const

function setUp(
  handler: (c: Context) => Response | Promise<Response>,
  more: Partial<HaltOptions> = {},
  store: Store = new InMemoryStore(),
) {
  const limiter = new RateLimiter<Context>({
    store,
    policy: [busy, many],
    exemptPrivateIps: false,
  })
  const app = new Hono().get('/', halt({ limiter, ...more } as HaltOptions), handler)
  const left = async (policy: string): Promise<number | undefined> =>
    (await limiter.peek({ custom: 'anybody' })).verdicts.find(verdict => verdict.policy === policy)?.remaining
  return { app, left }
}

/** A response whose body ends when the test calls `end`. */
function pending(): { response: Response; end: () => void; fail: () => void } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(own) {
      controller = own
      own.enqueue(new TextEncoder().encode('begun '))
    },
  })
  return {
    response: new Response(body),
    end: () => {
      controller?.enqueue(new TextEncoder().encode('ended'))
      controller?.close()
    },
    fail: () => controller?.error(new Error('broken')),
  }
}

describe('without a socket', () => {
  it('a request is in flight until its body is read', async () => {
    const { response, end } = pending()
    const { app, left } = setUp(() => response)
    const answer = await app.request('/')
    expect(await left('busy')).toBe(0)
    expect((await app.request('/')).status).toBe(429)
    end()
    expect(await answer.text()).toBe('begun ended')
    expect(await left('busy')).toBe(1)
  })

  it('a request is in flight until its body is cancelled', async () => {
    const { response } = pending()
    const { app, left } = setUp(() => response)
    await (await app.request('/')).body?.cancel()
    expect(await left('busy')).toBe(1)
  })

  it('a request is in flight until its body fails', async () => {
    const { response, fail } = pending()
    const { app, left } = setUp(() => response)
    const answer = await app.request('/')
    fail()
    await expect(answer.text()).rejects.toThrow('broken')
    expect(await left('busy')).toBe(1)
  })

  it('a request without a body ends when the app answers', async () => {
    const { app, left } = setUp(c => c.body(null, 204))
    expect((await app.request('/')).status).toBe(204)
    expect(await left('busy')).toBe(1)
  })

  it('a HEAD request ends when the app answers', async () => {
    const { app, left } = setUp(c => c.text('ok'))
    await app.request('/', { method: 'HEAD' })
    expect(await left('busy')).toBe(1)
  })

  it('a request ends when the app throws, even if it throws no Error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    const { app, left } = setUp(() => Promise.reject('no error'))
    await expect(app.request('/')).rejects.toBe('no error')
    expect(await left('busy')).toBe(1)
  })

  it('a request ends when the client aborts it, although the app goes on', async () => {
    const controller = new AbortController()
    let finish = (): void => {}
    const { app, left } = setUp(async c => {
      await new Promise<void>(resolve => (finish = resolve))
      return c.text('too late')
    })
    const answer = app.request('/', { signal: controller.signal })
    await expect.poll(() => left('busy')).toBe(0)
    controller.abort()
    expect(await left('busy')).toBe(1)
    finish()
    await answer
  })

  it('a request ends if the client aborts it during the call of the store', async () => {
    const memory = new InMemoryStore()
    const controller = new AbortController()
    const store: Store = {
      evaluate: async group => {
        controller.abort()
        return memory.evaluate(group)
      },
      forget: cells => memory.forget(cells),
    }
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const { app, left } = setUp(c => c.text('too late'), { chargeWhen }, store)
    await app.request('/', { signal: controller.signal })
    await expect.poll(() => left('busy')).toBe(1)
    expect(chargeWhen).not.toHaveBeenCalled()
  })

  it('chargeWhen is not called for a request that the app does not answer', async () => {
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const { app, left } = setUp(async () => undefined as unknown as Response, { chargeWhen })
    app.onError((_error, c) => c.text('broken', 500))
    expect((await app.request('/')).status).toBe(500)
    expect([await left('many'), await left('busy')]).toEqual([4, 1])
    expect(chargeWhen).not.toHaveBeenCalled()
  })

  it('an answer keeps its body, status and headers', async () => {
    const { app } = setUp(c => c.json({ ok: true }, 201, { 'X-Own': 'yes' }))
    const answer = await app.request('/')
    expect([answer.status, answer.headers.get('x-own'), answer.headers.get('ratelimit-limit')]).toEqual([
      201,
      'yes',
      '1',
    ])
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({ ok: true })
  })

  it('chargeWhen gets the response', async () => {
    const chargeWhen = vi.fn<(response: Response) => boolean>(response => response.status >= 400)
    const { app, left } = setUp(c => c.text('ok', c.req.query('fail') === undefined ? 200 : 401), {
      chargeWhen,
    })
    await (await app.request('/')).text()
    await expect.poll(() => left('many')).toBe(5)
    await (await app.request('/?fail')).text()
    expect(await left('many')).toBe(4)
    expect(chargeWhen).toHaveBeenCalledTimes(2)
  })

  it('chargeWhen is not called for an aborted request, which stays charged', async () => {
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const controller = new AbortController()
    const { app, left } = setUp(
      c => {
        controller.abort()
        return c.text('too late')
      },
      { chargeWhen },
    )
    await app.request('/', { signal: controller.signal })
    expect(chargeWhen).not.toHaveBeenCalled()
    expect([await left('many'), await left('busy')]).toEqual([4, 1])
  })

  it('chargeWhen is called when the app has answered, before the body is read or cancelled', async () => {
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const { response } = pending()
    const { app, left } = setUp(() => response, { chargeWhen })
    const { body } = await app.request('/')
    expect([chargeWhen.mock.calls.length, await left('many'), await left('busy')]).toEqual([1, 5, 0])
    await body?.cancel()
    expect([chargeWhen.mock.calls.length, await left('many'), await left('busy')]).toEqual([1, 5, 1])
  })

  it('chargeWhen gets the context', async () => {
    const { app, left } = setUp(
      c => {
        c.set('failed' as never, true as never)
        return c.text('ok')
      },
      { chargeWhen: async (_, c) => c.get('failed' as never) },
    )
    await app.request('/')
    expect(await left('many')).toBe(4)
  })
})

describe('on Node', () => {
  it('a request is in flight until its last byte is sent', async () => {
    const { response, end } = pending()
    const { app, left } = setUp(() => response)
    const { url, close } = await listen(app)
    const answer = await fetch(url)
    expect((await fetch(url)).status).toBe(429)
    end()
    expect(await answer.text()).toBe('begun ended')
    await expect.poll(() => left('busy')).toBe(1)
    await close()
  })

  it('a request ends when the client leaves during a stream', async () => {
    let cancelled = false
    const { app, left } = setUp(
      c =>
        stream(c, async out => {
          out.onAbort(() => void (cancelled = true))
          while (!cancelled) {
            await out.write('more ')
            await out.sleep(5)
          }
        }),
      { chargeWhen: () => true },
    )
    const { url, close } = await listen(app)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await new Promise(resolve => socket.once('data', resolve))
    expect(await left('busy')).toBe(0)
    socket.destroy()
    await expect.poll(() => left('busy')).toBe(1)
    expect([cancelled, await left('many')]).toEqual([true, 4])
    await close()
  })

  it('chargeWhen is not called for an HTTP/2 stream that the client resets before the answer', async () => {
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const asked = vi.fn<() => void>()
    const { app, left } = setUp(
      () => {
        asked()
        return new Promise<never>(() => {})
      },
      { chargeWhen },
    )
    const { url, close } = await listen(app, true)
    const session = connect2(url)
    const request = session.request({ ':path': '/' })
    request.on('error', () => {})
    await expect.poll(() => asked).toHaveBeenCalled()
    request.close(constants.NGHTTP2_CANCEL)
    await expect.poll(() => left('busy')).toBe(1)
    expect(await left('many')).toBe(4)
    expect(chargeWhen).not.toHaveBeenCalled()
    session.destroy()
    await close()
  })

  it('an answer keeps its length', async () => {
    const { app } = setUp(c => c.text('ok'))
    const { url, close } = await listen(app)
    expect((await fetch(url)).headers.get('content-length')).toBe('2')
    await close()
  })
})
