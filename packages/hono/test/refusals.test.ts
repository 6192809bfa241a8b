import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'

import { halt, sendLimited, viewOf } from '../src/index.ts'
import { listen } from './adapter.ts'

function limiterOf(name: string, limit: number, more: Partial<RateLimiterOptions<Context>> = {}) {
  const policy = { name, limit, window: 60, algorithm: 'fixed-window' } as const
  return new RateLimiter<Context>({
    store: new InMemoryStore(),
    policy,
    exemptPrivateIps: false,
    warn: () => {},
    ...more,
  })
}

async function ask(app: Hono, times = 1): Promise<{ status: number; headers: Headers; body: string }> {
  const { url, close } = await listen(app)
  try {
    for (let i = 1; i < times; i++) await (await fetch(`${url}/ask`)).text()
    const response = await fetch(`${url}/ask`)
    return { status: response.status, headers: response.headers, body: await response.text() }
  } finally {
    await close()
  }
}

describe('sendLimited', () => {
  const own = limiterOf('own', 1)
  const handler = async (c: Context): Promise<Response> => {
    const decision = await own.check(viewOf(c, getConnInfo), { cost: 2 })
    return decision.allowed ? c.text('ok') : sendLimited(c, decision)
  }

  it('answers in the default format where no guard was', async () => {
    const { status, headers, body } = await ask(new Hono().get('/ask', handler))
    expect([status, headers.get('ratelimit-limit'), headers.get('cache-control')]).toEqual([
      429,
      '1',
      'no-store',
    ])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded', retry_after: null })
  })

  it('answers as the guard that decided last would', async () => {
    const app = new Hono().use(halt({ limiter: limiterOf('all', 9), getConnInfo }))
    const options = { headers: 'x-ratelimit', errorFormat: 'problem', statusCode: 420, getConnInfo } as const
    app.get('/ask', halt({ limiter: limiterOf('route', 9), ...options }), handler)
    const { status, headers, body } = await ask(app)
    expect([status, headers.get('x-ratelimit-limit')]).toEqual([420, '1'])
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(body)).toMatchObject({ status: 420, 'violated-policies': ['own'] })
  })

  it('shows the decision to who comes after', async () => {
    const seen: unknown[] = []
    const app = new Hono().use(async (c, next) => {
      await next()
      seen.push(c.get('halt'))
    })
    app.get('/ask', handler)
    await ask(app)
    expect(seen).toMatchObject([{ allowed: false, policy: 'own', reason: 'cost-exceeds-limit' }])
  })

  it('answers 503 for what is our own fault', async () => {
    const store: Store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    const limiter = limiterOf('own', 1, { store, onStoreError: 'closed' })
    const app = new Hono().get('/ask', async c => sendLimited(c, await limiter.check(viewOf(c, getConnInfo))))
    expect(await ask(app)).toMatchObject({ status: 503 })
  })
})

describe('viewOf', () => {
  it('shows a limiter what a guard would', async () => {
    const limiter = limiterOf('p', 2)
    const app = new Hono().use(halt({ limiter, getConnInfo }))
    app.get('/ask', async c => {
      const { key, remaining } = await limiter.check(viewOf(c, getConnInfo))
      return c.json({ key, remaining })
    })
    expect(JSON.parse((await ask(app)).body)).toEqual({ key: 'ip:127.0.0.1', remaining: 0 })
  })

  it('is a request without an address where getConnInfo is missing or throws', async () => {
    const app = new Hono().get('/ask', c => {
      const broken = viewOf(c, () => {
        throw new Error('another runtime')
      })
      return c.json([viewOf(c).ip ?? null, broken.ip ?? null])
    })
    expect((await ask(app)).body).toBe('[null,null]')
  })
})

describe('getConnInfo', () => {
  it('fails no request, whatever it throws', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const value of [Object.create(null), Symbol('odd'), proxy, undefined]) {
      const broken = (): never => {
        throw value
      }
      const app = new Hono().use(halt({ limiter: limiterOf('p', 1), getConnInfo: broken }))
      app.get('/', c => c.text(c.get('halt')?.key ?? ''))
      expect(await (await app.request('/')).text()).toBe('ip:unknown')
    }
  })
})

describe('onLimited', () => {
  const answers: readonly [string, (c: Context) => Response | Promise<Response>][] = [
    ['what c made', c => c.json({ mine: true }, 418)],
    ['a new Response', () => Response.json({ mine: true }, { status: 418 })],
    ['what comes later', async c => c.json({ mine: await Promise.resolve(true) }, 418)],
  ]
  for (const [what, custom] of answers) {
    it(`may answer with ${what}`, async () => {
      const app = new Hono().use(
        halt({ limiter: limiterOf('p', 1), getConnInfo, onLimited: (_, c) => custom(c) }),
      )
      const { status, headers, body } = await ask(
        app.get('/ask', c => c.text('ok')),
        2,
      )
      expect([status, body, headers.get('retry-after')]).toEqual([418, '{"mine":true}', '60'])
      expect(headers.get('cache-control')).toBe('no-store')
    })
  }

  const broken: readonly [string, () => Response][] = [
    ['gives nothing', () => undefined as unknown as Response],
    ['gives what is no response', () => 'no' as unknown as Response],
    [
      'throws an HTTPException',
      () => {
        throw new HTTPException(418)
      },
    ],
  ]
  for (const [what, onLimited] of broken) {
    it(`that ${what} is replaced by the default answer`, async () => {
      const app = new Hono().use(halt({ limiter: limiterOf('p', 1), getConnInfo, onLimited }))
      const { status, headers, body } = await ask(
        app.get('/ask', c => c.text('ok')),
        2,
      )
      expect([status, headers.get('retry-after')]).toEqual([429, '60'])
      expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded' })
    })
  }
})
