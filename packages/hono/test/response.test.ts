import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { streamSSE, streamText } from 'hono/streaming'
import { describe, expect, it } from 'vitest'

import { isWaitOf } from '../../../tools/is-wait-of.ts'
import { halt, type HaltOptions } from '../src/index.ts'
import { listen } from './adapter.ts'

const guard = (more: Partial<HaltOptions> = {}) =>
  halt({
    policy: { name: 'api', limit: 2, window: 60 },
    exemptPrivateIps: false,
    getConnInfo,
    ...more,
  } as HaltOptions)

/** The answers to several equal requests. */
async function ask(
  app: Hono,
  times = 1,
  init: RequestInit = {},
): Promise<{ headers: Headers; status: number; body: string }[]> {
  const { url, close } = await listen(app)
  try {
    const answers = []
    for (let i = 0; i < times; i++) {
      const response = await fetch(`${url}/a`, { redirect: 'manual', ...init })
      answers.push({ headers: response.headers, status: response.status, body: await response.text() })
    }
    return answers
  } finally {
    await close()
  }
}

const shared = new Response(null, { status: 204 })

describe('the headers are on', () => {
  const answers: readonly [string, (c: Context) => Response | Promise<Response>, number][] = [
    ['what c.text() made', c => c.text('ok'), 200],
    ['what c.json() made', c => c.json({ ok: true }), 200],
    ['what c.html() made', c => c.html('<p>ok</p>'), 200],
    ['what c.body() made, without a body', c => c.body(null, 204), 204],
    ['what c.redirect() made', c => c.redirect('/b'), 302],
    ['a new Response', () => new Response('ok'), 200],
    ['a new Response without a body', () => new Response(null, { status: 304 }), 304],
    ['a new Response of a stream', () => new Response(new Blob(['ok']).stream()), 200],
    ['Response.json()', () => Response.json({ ok: true }), 200],
    ['Response.redirect()', c => Response.redirect(new URL('/b', c.req.url), 302), 302],
    ['a Response that the app holds', () => shared, 204],
    ['streamed text', c => streamText(c, async stream => void (await stream.write('ok'))), 200],
    ['server-sent events', c => streamSSE(c, async stream => stream.writeSSE({ data: 'ok' })), 200],
    ['c.notFound()', async c => c.notFound(), 404],
    ['an exception', () => Promise.reject(new HTTPException(403, { message: 'no' })), 403],
    [
      'an exception with a response',
      () => Promise.reject(new HTTPException(401, { res: new Response('no', { status: 401 }) })),
      401,
    ],
  ]
  for (const [what, handler, status] of answers) {
    it(`a guard adds its headers to ${what}`, async () => {
      const [first] = await ask(new Hono().use(guard()).get('/a', handler))
      expect(first?.status).toBe(status)
      expect(first?.headers.get('ratelimit-limit')).toBe('2')
      expect(first?.headers.get('ratelimit-remaining')).toBe('1')
      expect(first?.headers.get('ratelimit-reset')).toMatch(/^\d{10}$/)
      if (status === 200) expect(first?.body).toMatch(/ok/)
    })
  }

  it('a guard adds its headers to the response of an error handler', async () => {
    const app = new Hono().use(guard()).get('/a', () => Promise.reject(new Error('broken')))
    app.onError(() => new Response('sorry', { status: 500 }))
    const [first] = await ask(app)
    expect([first?.status, first?.body, first?.headers.get('ratelimit-remaining')]).toEqual([
      500,
      'sorry',
      '1',
    ])
  })

  it('a guard adds its headers to a response of fetch(), whose headers cannot be changed', async () => {
    const server = createServer((_req, res) => void res.setHeader('X-Up', 'yes').end('ok')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const [first] = await ask(new Hono().use(guard()).get('/a', () => fetch(`http://127.0.0.1:${port}`)))
    server.close()
    server.closeAllConnections()
    expect([first?.body, first?.headers.get('x-up'), first?.headers.get('ratelimit-remaining')]).toEqual([
      'ok',
      'yes',
      '1',
    ])
  })

  it('a guard adds its headers to a copy of a Response that the app keeps', async () => {
    const held = new Response(null, { status: 204 })
    const all = await ask(
      new Hono().use(guard()).get('/a', () => held),
      2,
    )
    expect(all.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual(['1', '0'])
    expect(held.headers.get('ratelimit-remaining')).toBe(null)
  })
})

it('a response made with c is not copied', async () => {
  let made: Response | undefined
  let sent: Response | undefined
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    sent = c.res
  })
  app.use(guard()).get('/a', c => (made = c.text('ok')))
  await ask(app)
  expect(sent).toBe(made)
})

it('an app that does not answer gets no answer from Halt', async () => {
  const app = new Hono().use(guard())
  app.get('/a', async () => {})
  app.onError(error => new Response(error.message, { status: 500 }))
  const [first] = await ask(app)
  expect([first?.status, first?.body]).toEqual([500, expect.stringContaining('not finalized')])
})

it('a handler can set the headers of a guard itself', async () => {
  const handler = (c: Context): Response => c.text('ok', 200, { 'RateLimit-Limit': '7' })
  const [first] = await ask(new Hono().use(guard()).get('/a', handler))
  expect([first?.headers.get('ratelimit-limit'), first?.headers.get('ratelimit-remaining')]).toEqual([
    '7',
    '1',
  ])
})

it('a Response with some of the headers of a guard gets the others', async () => {
  for (const name of ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']) {
    const handler = (): Response => new Response('ok', { headers: { [name]: '7' } })
    const [first] = await ask(new Hono().use(guard()).get('/a', handler))
    const shown = ['limit', 'remaining', 'reset'].map(part => first?.headers.get(`ratelimit-${part}`))
    const own = ['2', '1', expect.stringMatching(/^\d{10}$/)]
    expect(shown).toEqual(own.map((value, i) => (name.endsWith(LAST[i] as string) ? '7' : value)))
  }
})

const LAST = ['Limit', 'Remaining', 'Reset']

describe('a custom answer', () => {
  const refused = async (
    answer: (c: Context) => Response,
    more: Partial<HaltOptions> = {},
    before?: ReturnType<typeof cors>,
  ): Promise<Headers> => {
    const app = new Hono()
    if (before) app.use(before)
    app.use(guard({ onLimited: (_, c) => answer(c), ...more })).get('/a', c => c.text('ok'))
    const answers = await ask(app, 3, { headers: { Origin: 'https://app.example' } })
    expect(answers[2]?.status).toBe(429)
    return answers[2]?.headers as Headers
  }

  it('a custom answer with one of the headers gets the others', async () => {
    const limit = await refused(
      () => new Response('no', { status: 429, headers: { 'RateLimit-Limit': '7' } }),
    )
    expect(limit.get('ratelimit-limit')).toBe('7')
    expect(limit.get('ratelimit-remaining')).toBe('0')
    expect(isWaitOf(30, limit.get('retry-after'))).toBe(true)
    expect(limit.get('cache-control')).toBe('no-store')
    const none = await refused(() => new Response('no', { status: 429, headers: { 'Retry-After': '5' } }), {
      headers: false,
    })
    expect([none.get('retry-after'), none.get('cache-control')]).toEqual(['5', 'no-store'])
  })

  it('a custom answer keeps its own value of a header, also behind cors(), and scripts can read it', async () => {
    const answers = [
      () => new Response('no', { status: 429, headers: { 'Retry-After': '5' } }),
      (c: Context) => c.text('no', 429, { 'Retry-After': '5' }),
    ]
    for (const answer of answers)
      for (const before of [undefined, cors({ origin: 'https://app.example' })]) {
        const headers = await refused(answer, {}, before)
        expect(headers.get('retry-after')).toBe('5')
        expect(headers.get('ratelimit-limit')).toBe('2')
        const exposed = headers.get('access-control-expose-headers')
        if (before === undefined) expect(exposed).toBeNull()
        else expect(exposed?.split(', ')).toEqual(expect.arrayContaining(['RateLimit-Limit', 'Retry-After']))
      }
  })
})

describe('with other middleware', () => {
  const answers = [(c: Context) => c.text('ok'), () => new Response('ok')]
  for (const [i, handler] of answers.entries()) {
    for (const order of ['around', 'inside']) {
      it(`a guard works with cors, secureHeaders, etag and compress ${order} it (${i})`, async () => {
        const others = [
          cors({ origin: 'https://app.example', exposeHeaders: ['X-Own'] }),
          secureHeaders(),
          etag(),
          compress(),
        ]
        const app = new Hono()
        app.use(...(order === 'around' ? ([...others, guard()] as const) : ([guard(), ...others] as const)))
        app.get('/a', handler)
        const init = { headers: { Origin: 'https://app.example' } }
        const [first, second, refused] = await ask(app, 3, init)
        expect([first?.body, second?.headers.get('ratelimit-remaining'), refused?.status]).toEqual([
          'ok',
          '0',
          429,
        ])
        expect(first?.headers.get('x-frame-options')).toBe('SAMEORIGIN')
        const exposed = first?.headers.get('access-control-expose-headers')?.toLowerCase().split(/, ?/)
        expect(exposed?.toSorted()).toEqual([
          'ratelimit-limit',
          'ratelimit-remaining',
          'ratelimit-reset',
          'x-own',
        ])
        if (order === 'inside') return
        expect(refused?.headers.get('access-control-allow-origin')).toBe('https://app.example')
        expect(refused?.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('retry-after')
        expect(JSON.parse(refused?.body ?? '')).toMatchObject({ error: 'rate_limit_exceeded' })
      })
    }
  }

  it('a guard counts a 304 of etag()', async () => {
    const app = new Hono().use(guard(), etag()).get('/a', c => c.text('ok'))
    const [first] = await ask(app)
    const tag = first?.headers.get('etag') ?? ''
    const [again] = await ask(app, 1, { headers: { 'If-None-Match': tag } })
    expect([again?.status, again?.headers.get('ratelimit-remaining')]).toEqual([304, '0'])
  })

  it('a refusal of an inner guard has its own headers, and not those of an outer guard', async () => {
    const app = new Hono().use(cors(), guard({ policy: { name: 'all', limit: 9, window: 60 } }))
    app.get('/a', guard({ policy: { name: 'tight', limit: 1, window: 60 } }), c => c.text('ok'))
    const [, refused] = await ask(app, 2)
    expect([refused?.status, refused?.headers.get('ratelimit-limit')]).toEqual([429, '1'])
    expect(refused?.headers.get('cache-control')).toBe('no-store')
  })
})
