import { RateLimiter } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt } from '../src/index.ts'
import { CountingStore, listen, makeApp, makeLimiter, statuses } from './server.ts'

const tight = { name: 'tight', limit: 1, window: 60 }

describe('config.halt', () => {
  it('config.halt adds to the global policies, in one call of the store', async () => {
    const store = new CountingStore()
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(3, { store }) })
    app.get('/tight', { config: { halt: { policy: tight } } }, ({ halt: decision }) => decision?.verdicts)
    app.get('/', () => 'ok')
    const get = await listen(app)

    const verdicts = (await (await get('/tight')).json()) as { policy: string }[]
    expect(verdicts.map(({ policy }) => policy)).toEqual(['global', 'tight'])
    expect(store.groups.map(({ demands }) => demands.length)).toEqual([2])
    const refused = await get('/tight')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('ratelimit-limit')).toBe('1')
    // The refusal charged neither policy, so two of three units are left.
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 429])
    expect(store.groups).toHaveLength(5)
  })

  it('a refusal by the global policy charges no policy of config.halt', async () => {
    const app = makeApp()
    const clock = new ManualClock()
    await app.register(halt, { limiter: makeLimiter(1, { store: new InMemoryStore({ clock: clock.now }) }) })
    app.get('/tight', { config: { halt: { policy: tight } } }, () => 'ok')
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(1, () => get('/'))).toEqual([200])
    expect(await statuses(2, () => get('/tight'))).toEqual([429, 429])
    clock.advance(60)
    expect(await statuses(1, () => get('/tight'))).toEqual([200])
  })

  it('config.halt replaces the global policies with override', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    app.get('/own', { config: { halt: { policy: { ...tight, limit: 2 }, override: true } } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
    expect(await statuses(3, () => get('/own'))).toEqual([200, 200, 429])
  })

  it('config.halt switches the limit off with false', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    app.get('/free', { config: { halt: false } }, ({ halt: decision }) => ({ decision: decision ?? null }))
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
    const free = await get('/free')
    expect(free.headers.get('ratelimit-limit')).toBeNull()
    expect(await free.json()).toEqual({ decision: null })
  })

  it('config.halt changes the cost of a route on the global counter', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(10) })
    app.get('/report', { config: { halt: { cost: 5 } } }, () => 'ok')
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(1, () => get('/'))).toEqual([200])
    const report = await get('/report')
    expect(report.headers.get('ratelimit-remaining')).toBe('4')
    expect((await get('/report')).status).toBe(429)
  })

  it.each([
    ['', () => 2],
    [' that comes later', async () => 2],
    [
      ' from a query',
      // oxlint-disable-next-line unicorn/no-thenable -- that is the point
      () => ({ then: (told: (units: number) => void) => told(2) }) as unknown as Promise<number>,
    ],
  ])('a route policy keeps its cost beside a registered cost%s', async (_when, cost) => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(10), cost })
    const policy = { name: 'dear', limit: 10, window: 60, cost: 10 }
    app.get('/', { config: { halt: { policy } } }, ({ halt: decision }) => decision?.verdicts)
    const get = await listen(app)
    const verdicts = (await (await get('/')).json()) as { policy: string; remaining: number }[]
    expect(verdicts.map(({ policy: name, remaining }) => [name, remaining])).toEqual([
      ['global', 8],
      ['dear', 0],
    ])
  })

  it('the merged check counts in the hook that the route names, after the own hooks of the route', async () => {
    const store = new CountingStore()
    const app = makeApp()
    app.decorateRequest('user', null)
    const policy = { name: 'user', limit: 1, window: 60, keyStrategy: 'user' } as const
    await app.register(halt, { limiter: makeLimiter(10, { store }) })
    const preHandler = async (request: FastifyRequest): Promise<void> => {
      Object.assign(request, { user: { id: request.headers['x-user'] } })
    }
    app.get('/', { preHandler, config: { halt: { policy, hook: 'preHandler' } } }, () => 'ok')
    const get = await listen(app)
    const as = (user: string) => () => get('/', { headers: { 'x-user': user } })
    expect(await statuses(2, as('ann'))).toEqual([200, 429])
    expect(await statuses(1, as('bob'))).toEqual([200])
    expect(store.groups).toHaveLength(3)
    expect(store.groups[0]?.demands.map(({ subject }) => subject)).toEqual(['ip:127.0.0.1', 'user:ann'])
  })

  it('a plugin that is not global limits only routes with config.halt', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1), global: false })
    app.get('/', () => 'ok')
    app.get('/tight', { config: { halt: { policy: tight } } }, () => 'ok')
    app.get('/registered', { config: { halt: {} } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 200])
    expect(await statuses(2, () => get('/tight'))).toEqual([200, 429])
    expect(await statuses(2, () => get('/registered'))).toEqual([200, 429])
    expect(await statuses(2, () => get('/nothing'))).toEqual([404, 404])
  })

  it('config.halt counts on a separate limiter in addition to the global one', async () => {
    const app = makeApp()
    const own = new RateLimiter<FastifyRequest>({
      store: new InMemoryStore(),
      policy: tight,
      exemptPrivateIps: false,
    })
    await app.register(halt, { limiter: makeLimiter(3) })
    app.get('/tight', { config: { halt: { limiter: own } } }, () => 'ok')
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/tight'))).toEqual([200, 429])
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
  })

  it('config.halt adds to policies that a resolver gives', async () => {
    const store = new CountingStore()
    const app = makeApp()
    const policies = [
      { name: 'free', limit: 2, window: 60 },
      { name: 'pro', limit: 5, window: 60 },
    ] as const
    const policy = ({ headers }: FastifyRequest) => policies[headers['x-plan'] === 'pro' ? 1 : 0]
    await app.register(halt, { limiter: makeLimiter(0, { store, policy }) })
    app.get('/', { config: { halt: { policy: { ...tight, limit: 3 } } } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 429])
    expect(await statuses(2, () => get('/', { headers: { 'x-plan': 'pro' } }))).toEqual([200, 429])
    expect(store.groups).toHaveLength(5)
    expect(store.groups.every(({ demands }) => demands.length === 2)).toBe(true)
  })

  it('a registered policy that a route repeats is counted once', async () => {
    const app = makeApp()
    const policy = { name: 'api', limit: 2, window: 60 }
    await app.register(halt, { policy, exemptPrivateIps: false })
    app.get('/', { config: { halt: { policy } } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 429])
  })

  it('a GET shares its counter with the HEAD that Fastify derives', async () => {
    const store = new CountingStore()
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(10, { store }) })
    app.get(
      '/',
      { config: { halt: { policy: { ...tight, scope: 'route' }, hook: 'preHandler' } } },
      () => 'ok',
    )
    const get = await listen(app)
    expect((await get('/', { method: 'HEAD' })).status).toBe(200)
    expect((await get('/')).status).toBe(429)
    expect(store.groups).toHaveLength(2)
  })

  it('config.halt applies to the root of a prefix with and without a slash', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(10) })
    await app.register(async api => void api.get('/', { config: { halt: { policy: tight } } }, () => 'ok'), {
      prefix: '/api',
    })
    const get = await listen(app)
    expect([(await get('/api')).status, (await get('/api/')).status]).toEqual([200, 429])
  })

  it('a request is charged once when app.halt() repeats the limiter', async () => {
    const app = makeApp()
    const limiter = makeLimiter(10)
    await app.register(halt, { limiter })
    const again = [app.halt(), app.halt({ limiter })]
    app.get('/', { preHandler: again }, () => 'ok')
    app.get('/tight', { preHandler: again, config: { halt: { policy: { ...tight, limit: 5 } } } }, () => 'ok')
    const get = await listen(app)
    expect((await get('/')).headers.get('ratelimit-remaining')).toBe('9')
    await get('/tight')
    expect((await get('/')).headers.get('ratelimit-remaining')).toBe('7')
  })
})
