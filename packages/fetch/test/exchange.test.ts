import { describe, expect, it, vi } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { leftIn, limitOf, makeLimiter, request } from './scene.ts'

const busy = { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 600 } as const

function setUp(more: Partial<HaltOptions> = {}) {
  const { limiter } = makeLimiter([busy, limitOf(5)])
  const limit = halt({ limiter, clientIp: () => '203.0.113.7', ...more } as HaltOptions)
  const left = async (): Promise<Record<string, number>> => {
    const { verdicts } = await limiter.peek({ ip: '203.0.113.7' })
    return Object.fromEntries(verdicts.map(({ policy, remaining }) => [policy, remaining]))
  }
  return { limit, left }
}

/** A response whose body ends when the test calls `end`. */
function pending(): { response: Response; end: () => void } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(own) {
      controller = own
      own.enqueue(new TextEncoder().encode('begun '))
    },
  })
  return { response: new Response(body), end: () => controller?.close() }
}

async function used(response: Response): Promise<Response> {
  await response.text()
  return response
}

function locked(response: Response): Response {
  response.body?.getReader()
  return response
}

describe('without a socket, a request is in flight', () => {
  it('without a socket, a request is in flight until its body is read', async () => {
    const { response, end } = pending()
    const { limit, left } = setUp()
    const handler = limit(() => response)
    const answer = await handler(request())
    expect([await left(), (await handler(request())).status]).toEqual([{ busy: 0, api: 4 }, 429])
    end()
    expect(await answer.text()).toBe('begun ')
    expect(await left()).toEqual({ busy: 1, api: 4 })
  })

  it('without a socket, a request is in flight until its body is cancelled', async () => {
    const { limit, left } = setUp()
    const answer = await limit(() => pending().response)(request())
    await answer.body?.cancel()
    expect((await left())['busy']).toBe(1)
  })

  it('without a socket, a request is in flight until its client leaves, although the handler goes on', async () => {
    const leaving = new AbortController()
    let answer: (response: Response) => void = () => {}
    const { limit, left } = setUp({ chargeWhen: () => false })
    const handler = limit(() => new Promise<Response>(resolve => (answer = resolve)))
    const answered = handler(request({}, { signal: leaving.signal }))
    await expect.poll(async () => (await left())['busy']).toBe(0)
    leaving.abort()
    expect(await left()).toEqual({ busy: 1, api: 4 })
    answer(new Response('too late'))
    await answered
    // The request was aborted before its answer, so it stays charged.
    expect(await left()).toEqual({ busy: 1, api: 4 })
  })

  it.each([
    ['answers without a body', (): Response => new Response(null, { status: 204 })],
    ['returns no response', (): undefined => undefined],
    ['throws', (): unknown => JSON.parse('no')],
    ['answers with a body that was read already', async (): Promise<Response> => used(new Response('used'))],
    ['answers with a body that somebody else reads', (): Response => locked(new Response('locked'))],
  ])('without a socket, a request is in flight until its handler %s', async (_, handler) => {
    const { limit, left } = setUp()
    await limit(handler)(request()).catch(() => {})
    expect((await left())['busy']).toBe(1)
  })

  it('without a socket, a HEAD request is in flight until its handler answers', async () => {
    const { limit, left } = setUp()
    await limit(() => new Response('not sent'))(request({}, { method: 'HEAD' }))
    expect((await left())['busy']).toBe(1)
  })
})

describe('chargeWhen', () => {
  const onlyFailures: Partial<HaltOptions> = { chargeWhen: ({ status }) => status === 401 }

  it('chargeWhen refunds a request whose response does not count', async () => {
    const { limit, left } = setUp(onlyFailures)
    await (await limit(() => new Response('ok'))(request())).text()
    await expect.poll(async () => (await left())['api']).toBe(5)
    await (await limit(() => new Response('no', { status: 401 }))(request())).text()
    expect((await left())['api']).toBe(4)
  })

  it('chargeWhen gets a response that the handler throws', async () => {
    const { limit, left } = setUp(onlyFailures)
    const refuse = (status: number) =>
      limit((): Response => {
        throw new Response(null, { status })
      })
    await expect(refuse(401)(request())).rejects.toMatchObject({ status: 401 })
    expect((await left())['api']).toBe(4)
    await expect(refuse(404)(request())).rejects.toMatchObject({ status: 404 })
    await expect.poll(async () => (await left())['api']).toBe(4)
  })

  it('chargeWhen gets the request and the context', async () => {
    const chargeWhen = vi.fn<NonNullable<HaltOptions['chargeWhen']>>(() => true)
    const { limit } = setUp({ chargeWhen })
    const [asked, context] = [request(), { id: 7 }]
    await limit((given: Request, { id }: { id: number }) => new Response(given.url + id))(asked, context)
    expect(chargeWhen).toHaveBeenCalledExactlyOnceWith(expect.any(Response), asked, context)
  })

  it('chargeWhen is not called for a handler that returns no response, whose request stays charged', async () => {
    const chargeWhen = vi.fn<() => boolean>(() => false)
    const { limit, left } = setUp({ chargeWhen })
    await limit(() => undefined)(request())
    expect([chargeWhen.mock.calls.length, (await left())['api']]).toEqual([0, 4])
  })
})

describe('check', () => {
  it('check gives middleware the headers of an admitted request', async () => {
    const { limit } = setUp()
    const { response, headers, decision } = await limit.check(request())
    expect(response).toBe(undefined)
    expect(headers).toMatchObject({ 'RateLimit-Limit': '1', 'RateLimit-Remaining': '0' })
    expect(decision).toMatchObject({ allowed: true, policy: 'busy' })
  })

  it('check gives middleware the answer to a refused request, with its headers', async () => {
    const { limit } = setUp()
    await limit.check(request())
    const { response, headers, decision } = await limit.check(request())
    expect([response?.status, response && leftIn(response), decision?.allowed]).toEqual([429, '0', false])
    expect(Object.fromEntries(response?.headers ?? [])).toMatchObject(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    )
  })

  it('check gives no headers and no decision for a preflight', async () => {
    const { limit } = setUp()
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    const checked = await limit.check(request(headers, { method: 'OPTIONS' }))
    expect([checked.response, checked.headers, checked.decision]).toEqual([undefined, {}, undefined])
  })

  it('finish tells check that the app has answered', async () => {
    const { limit, left } = setUp({ chargeWhen: ({ status }) => status !== 204 })
    const { finish } = await limit.check(request())
    expect((await left())['busy']).toBe(0)
    const answer = finish(new Response(null, { status: 204 }))
    expect(leftIn(answer)).toBe('0')
    await expect.poll(left).toEqual({ busy: 1, api: 5 })
  })

  it('finish exposes the headers of a refusal to which middleware has added CORS', async () => {
    const { limit } = setUp()
    await limit.check(request())
    const { response, finish } = await limit.check(request())
    response?.headers.set('Access-Control-Allow-Origin', '*')
    const exposed = finish(response as Response).headers.get('access-control-expose-headers')
    expect(exposed).toBe('RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After')
  })

  it('check rejects for a value that is no request', async () => {
    await expect(setUp().limit.check('GET /' as never)).rejects.toMatchObject({ code: 'HALT_E_OPTION' })
  })
})
