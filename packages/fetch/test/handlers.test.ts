import { describe, expect, it } from 'vitest'

import { decisionOf, halt, type HaltOptions, sendLimited, viewOf } from '../src/index.ts'
import { leftIn, limitOf, makeLimiter, request } from './scene.ts'

const limitTo = (limit: number, more: Partial<HaltOptions> = {}) =>
  halt({ limiter: makeLimiter(limitOf(limit)).limiter, ...more } as HaltOptions)

describe('a handler', () => {
  it('a handler gets all its arguments', async () => {
    const handler = limitTo(5)(
      async (given: Request, context: { params: Promise<{ id: string }> }, ...rest: number[]) =>
        Response.json([given.url, (await context.params).id, ...rest]),
    )
    const answer = await handler(request(), { params: Promise.resolve({ id: 'a' }) }, 7)
    expect(await answer.json()).toEqual(['https://api.example/ask', 'a', 7])
    expect(leftIn(answer)).toBe('4')
  })

  it.each([
    ['the event of SvelteKit, React Router and Astro', { request: request() }],
    ['the event of h3 and Nitro', { req: request() }],
  ])('a handler may get %s', async (_, event) => {
    const handler = limitTo(1)((given: typeof event) => Response.json({ left: decisionOf(given)?.remaining }))
    expect(await (await handler(event)).json()).toEqual({ left: 0 })
    expect(
      (await handler('req' in event ? { req: request() } : ({ request: request() } as never))).status,
    ).toBe(429)
  })

  it('a handler of an event passes the event to options as the context', async () => {
    const cost = (_: Request, event: { locals: { cost: number } }): number => event.locals.cost
    const { limiter } = makeLimiter(limitOf(9))
    const limit = halt<Request, { locals: { cost: number } }>({ limiter, cost })
    const handler = limit((event: { request: Request; locals: { cost: number } }) =>
      Response.json(event.locals),
    )
    expect(leftIn(await handler({ request: request(), locals: { cost: 3 } }))).toBe('6')
  })

  it.each([
    ['a request of Node', { method: 'GET', url: '/', headers: {} }],
    ['nothing', undefined],
    ['a text', 'GET /'],
  ])('a handler that gets %s rejects with a coded error', async (_, given) => {
    const handler = limitTo(1)(() => new Response('ok'))
    await expect(handler(given as never)).rejects.toMatchObject({ code: 'HALT_E_OPTION' })
  })

  it('a handler is not called for a refused request', async () => {
    let calls = 0
    const handler = limitTo(1)(() => new Response(String(++calls)))
    expect((await handler(request())).status).toBe(200)
    const refused = await handler(request())
    expect([refused.status, refused.headers.get('retry-after'), calls]).toEqual([429, '60', 1])
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 60 })
  })

  it('a handler may return something that is no response, which stays as it is', async () => {
    const data = { title: 'hello' }
    expect(await limitTo(5)(() => data)(request())).toBe(data)
    expect(await limitTo(5)(() => undefined)(request())).toBe(undefined)
  })

  it('a handler may throw a response, which gets the headers', async () => {
    const handler = limitTo(5)(() => {
      throw new Response('no', { status: 403 })
    })
    const thrown = await handler(request()).catch((error: unknown) => error as Response)
    expect([(thrown as Response).status, leftIn(thrown as Response)]).toEqual([403, '4'])
  })

  it('a handler may throw an error, which reaches the framework', async () => {
    const error = new Error('broken')
    const handler = limitTo(5)(() => Promise.reject(error))
    await expect(handler(request())).rejects.toBe(error)
  })
})

describe('a response', () => {
  it('a response that cannot be changed is copied', async () => {
    const redirect = Response.redirect('https://api.example/b', 302)
    const answer = await limitTo(5)(() => redirect)(request())
    expect([answer.status, answer.headers.get('location'), leftIn(answer)]).toEqual([
      302,
      'https://api.example/b',
      '4',
    ])
    expect(leftIn(redirect)).toBe(null)
  })

  it('a response that the app keeps never shows the headers of another client', async () => {
    const kept = new Response(null, { status: 204 })
    const handler = limitTo(5)(() => kept)
    expect([leftIn(await handler(request())), leftIn(await handler(request()))]).toEqual(['4', '3'])
    expect(leftIn(kept)).toBe(null)
  })

  it('a response keeps its status, cookies and body', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['etag', '"x"'],
    ])
    const answer = await limitTo(5)(() => new Response('made', { status: 201, headers }))(request())
    expect([answer.status, answer.headers.getSetCookie(), answer.headers.get('etag')]).toEqual([
      201,
      ['a=1', 'b=2'],
      '"x"',
    ])
    expect(await answer.text()).toBe('made')
  })

  it('a response keeps a header that the handler has set itself', async () => {
    const handler = limitTo(5)(() => new Response('ok', { headers: { 'RateLimit-Remaining': '77' } }))
    const { headers } = await handler(request())
    expect([headers.get('ratelimit-remaining'), headers.get('ratelimit-limit')]).toEqual(['77', '5'])
  })

  it('a response with CORS exposes the headers', async () => {
    const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'X-Own' }
    const answer = await limitTo(5)(() => new Response('ok', { headers }))(request())
    expect(answer.headers.get('access-control-expose-headers')).toBe(
      'X-Own, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
    )
  })
})

describe('several limits', () => {
  it('several limits around a handler show the tightest, in either order', async () => {
    for (const numbers of [
      [9, 2],
      [2, 9],
    ]) {
      const [outer, inner] = numbers.map((limit, i) =>
        halt({ limiter: makeLimiter(limitOf(limit, { name: `p${i}` })).limiter }),
      )
      const handler = outer!(inner!(given => Response.json(decisionOf(given as Request)?.limit)))
      const answer = await handler(request())
      expect([answer.headers.get('ratelimit-limit'), await answer.json()]).toEqual(['2', 2])
    }
  })

  it('several limits of one limiter charge a request once', async () => {
    const { limiter, warned } = makeLimiter(limitOf(5))
    const [outer, inner] = [halt({ limiter }), halt({ limiter })]
    expect(leftIn(await outer(inner(() => new Response('ok')))(request()))).toBe('4')
    expect(warned).toContain('HALT_W_LIMITER_TWICE')
  })
})

describe('onLimited', () => {
  it('onLimited makes the answer, to which Halt adds its headers', async () => {
    const handler = limitTo(1, {
      onLimited: ({ retryAfter }, { request: { url }, status }) =>
        new Response(`${url} ${retryAfter}`, { status, headers: { 'Access-Control-Allow-Origin': '*' } }),
    })(() => new Response('ok'))
    await handler(request())
    const { status, headers } = await handler(request())
    expect([status, headers.get('retry-after')]).toEqual([429, '60'])
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After')
  })

  it('onLimited may answer each request by one constant response', async () => {
    const constant = Response.json({ mine: true }, { status: 418 })
    const handler = limitTo(1, { onLimited: () => constant })(() => new Response('ok'))
    await handler(request())
    for (let i = 0; i < 3; i++) {
      const answer = await handler(request())
      expect([i, answer.status, await answer.text()]).toEqual([i, 418, '{"mine":true}'])
      expect(answer.headers.get('retry-after')).not.toBeNull()
    }
    expect(constant.headers.has('retry-after')).toBe(false)
  })

  it.each([
    ['returns nothing', (): unknown => undefined],
    ['returns a text', (): unknown => 'no'],
    ['throws', (): unknown => JSON.parse('no')],
  ])('the default answer replaces an onLimited that %s', async (_, onLimited) => {
    const { limiter, warned } = makeLimiter(limitOf(1))
    const handler = halt({ limiter, onLimited: onLimited as never })(() => new Response('ok'))
    await handler(request())
    expect(await (await handler(request())).json()).toMatchObject({ error: 'rate_limit_exceeded' })
    expect(warned).toContain('HALT_W_CALLBACK')
  })
})

describe('a route', () => {
  it('a route has its own counter with scope "route"', async () => {
    const { limiter } = makeLimiter(limitOf(1, { scope: 'route' }))
    const limit = halt<Request, { route: string }>({ limiter, route: (_, { route }) => route })
    const statuses: number[] = []
    for (const route of ['/a/:id', '/b', '/a/:id'])
      statuses.push((await limit(() => new Response('ok'))(request(), { route })).status)
    expect(statuses).toEqual([200, 200, 429])
  })

  it('a route is unknown, with warnings, where the function that tells it is broken', async () => {
    const { limiter, warned } = makeLimiter(limitOf(1, { scope: 'route' }))
    const limit = halt({ limiter, route: () => JSON.parse('no') })
    expect((await limit.check(request())).decision?.allowed).toBe(true)
    expect(warned.toSorted()).toEqual(['HALT_W_CALLBACK', 'HALT_W_NO_ADDRESS', 'HALT_W_NO_ROUTE'])
  })
})

describe('sendLimited', () => {
  it('sendLimited makes the refusal of the guard before it', async () => {
    const rows = makeLimiter(limitOf(3, { name: 'rows' })).limiter
    const limit = limitTo(9, { errorFormat: 'problem', headers: 'draft-7' })
    const handler = limit(async (given: Request) => {
      const decision = await rows.check(viewOf(given), { cost: 5 })
      return decision.allowed ? new Response('ok') : sendLimited(given, decision)
    })
    const refused = await handler(request())
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([429, 'limit=3, remaining=3, reset=0'])
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['rows'] })
  })

  it('sendLimited refuses a decision that allows', async () => {
    const decision = await makeLimiter(limitOf(1)).limiter.check(viewOf(request()))
    expect(() => sendLimited(request(), decision)).toThrow(expect.objectContaining({ code: 'HALT_E_OPTION' }))
  })
})

describe('wrong options', () => {
  it.each([
    ['an unknown name', { policy: limitOf(1), windowMs: 60_000 }, 'HALT_E_UNKNOWN_FIELD'],
    ['no policy', {}, 'HALT_E_POLICY'],
    [
      'options of a limiter beside a limiter',
      { limiter: makeLimiter(limitOf(1)).limiter, trustedProxies: [] },
      'HALT_E_LIMITER',
    ],
    ['onLimited that is no function', { policy: limitOf(1), onLimited: 'no' }, 'HALT_E_OPTION'],
  ])('halt() throws for %s', (_, options, code) => {
    expect(() => halt(options as never)).toThrow(expect.objectContaining({ code }))
  })

  it('a limit refuses a handler that is no function', () => {
    expect(() => limitTo(1)({ fetch() {} } as never)).toThrow(
      expect.objectContaining({ code: 'HALT_E_OPTION' }),
    )
  })
})
