import { type HaltWarning, RateLimiter, silence } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { FastifyRequest } from 'fastify'
import { describe, expect, it, vi } from 'vitest'

import { halt } from '../src/index.ts'
import { CountingStore, listen, makeApp, makeLimiter, statuses } from './server.ts'

const tight = { name: 'tight', limit: 1, window: 60 }

describe('config.halt', () => {
  it('adds to the global policies, in one call of the store', async () => {
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
    // The refusal charged neither: two of three are left.
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 429])
    expect(store.groups).toHaveLength(5)
  })

  it('charges neither when the global policy refuses', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1, { policy: { name: 'global', limit: 1, window: 1 } }) })
    app.get('/tight', { config: { halt: { policy: tight } } }, () => 'ok')
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(1, () => get('/'))).toEqual([200])
    expect(await statuses(2, () => get('/tight'))).toEqual([429, 429])
    await new Promise(resolve => setTimeout(resolve, 1010))
    expect(await statuses(1, () => get('/tight'))).toEqual([200])
  })

  it('replaces the global policies with override', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    app.get('/own', { config: { halt: { policy: { ...tight, limit: 2 }, override: true } } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
    expect(await statuses(3, () => get('/own'))).toEqual([200, 200, 429])
  })

  it('switches the limit off with false', async () => {
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

  it('weighs a route on the global counter', async () => {
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
  ])('keeps the cost of a route policy beside a registered cost%s', async (_when, cost) => {
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

  it("counts the merged check in the hook that the route names, after the route's own hooks", async () => {
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

  it('limits only such routes when the plugin is not global', async () => {
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

  it('counts on a limiter of its own beside the global one', async () => {
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

  it('adds to policies that a resolver gives', async () => {
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

  it('treats the very policy that is registered as one', async () => {
    const app = makeApp()
    const policy = { name: 'p', limit: 2, window: 60 }
    await app.register(halt, { policy, exemptPrivateIps: false })
    app.get('/', { config: { halt: { policy } } }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/'))).toEqual([200, 200, 429])
  })

  it('shares the counter between GET and the HEAD that Fastify derives', async () => {
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

  it('applies to both spellings of a prefixed root', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(10) })
    await app.register(async api => void api.get('/', { config: { halt: { policy: tight } } }, () => 'ok'), {
      prefix: '/api',
    })
    const get = await listen(app)
    expect([(await get('/api')).status, (await get('/api/')).status]).toEqual([200, 429])
  })

  it('charges a request once when app.halt() repeats the limiter', async () => {
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

describe('a mistake', () => {
  it('in a route rejects ready() with its code and the route', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    app.post('/login', { config: { halt: { policy: { ...tight, limit: 0 } } } }, () => 'ok')
    await expect(app.ready()).rejects.toMatchObject({
      code: 'HALT_E_LIMIT',
      message: expect.stringContaining('POST /login: '),
    })
  })

  it.each([
    ['an unknown field', { polizy: tight }, 'HALT_E_UNKNOWN_FIELD'],
    ['a wrong hook', { hook: 'onSend' }, 'HALT_E_OPTION'],
    ['true', true, 'HALT_E_OPTION'],
    ['a wrong cost', { cost: -1 }, 'HALT_E_COST'],
    ['a name that is taken', { policy: { ...tight, name: 'global' } }, 'HALT_E_DUPLICATE_POLICY'],
    ['override without a policy', { override: true }, 'HALT_E_OPTION'],
    ['two answers', { onLimited: () => {}, throwOnLimited: true }, 'HALT_E_OPTION'],
  ])('in config.halt has a code: %s', async (_what, config, code) => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    app.get('/', { config: { halt: config as never } }, () => 'ok')
    await expect(app.ready()).rejects.toMatchObject({ code })
  })

  it.each([
    ['no policy', {}, 'HALT_E_POLICY'],
    ['an unknown option', { limiter: makeLimiter(), window: 1 }, 'HALT_E_UNKNOWN_FIELD'],
    [
      'a limiter beside its options',
      { limiter: makeLimiter(), store: new InMemoryStore() },
      'HALT_E_LIMITER',
    ],
    [
      'a prefix, which a plugin of this kind does not heed',
      { limiter: makeLimiter(), prefix: '/x' },
      'HALT_E_UNKNOWN_FIELD',
    ],
  ])('in the plugin rejects: %s', async (_what, options, code) => {
    const app = makeApp()
    const registered = Promise.resolve(app.register(halt, options as never))
    await expect(registered).rejects.toMatchObject({ code })
  })

  it('in app.halt() throws where it is called', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    expect(() => app.halt({ policy: { ...tight, limit: 0 } })).toThrow(
      expect.objectContaining({ code: 'HALT_E_LIMIT' }),
    )
  })
})

describe('a route declared before the plugin was loaded', () => {
  it.each([true, false])(
    'is limited by its config.halt all the same, with a warning (global: %s)',
    async global => {
      const warnings: HaltWarning[] = []
      const app = makeApp()
      void app.register(halt, {
        limiter: makeLimiter(10, { warn: warning => warnings.push(warning) }),
        global,
      })
      app.get('/tight', { config: { halt: { policy: tight } } }, () => 'ok')
      app.get('/free', { config: { halt: false } }, () => 'ok')
      app.get('/', () => 'ok')
      const get = await listen(app)
      expect(await statuses(2, () => get('/tight'))).toEqual([200, 429])
      expect((await get('/free')).headers.has('ratelimit-limit')).toBe(false)
      expect((await get('/')).headers.get('ratelimit-remaining')).toBe(global ? '8' : null)
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_ROUTE_BEFORE_PLUGIN'])
    },
  )

  const wrong = [{ policy: { ...tight, limit: 0 } }, { cost: -1 }, { polizy: tight }] as const
  const codes = ['HALT_E_LIMIT', 'HALT_E_COST', 'HALT_E_UNKNOWN_FIELD']

  it.each([true, false])(
    'tells the mistake of each in its config.halt, and keeps the global limit (global: %s)',
    async global => {
      const warnings: HaltWarning[] = []
      const app = makeApp()
      const limiter = makeLimiter(4, { warn: warning => warnings.push(warning) })
      void app.register(halt, { limiter, global })
      app.get('/right', { config: { halt: {} } }, () => 'ok')
      for (const [i, config] of wrong.entries())
        app.get(`/wrong${i}`, { config: { halt: config as never } }, () => 'ok')
      const get = await listen(app)
      for (const path of ['/right', '/wrong0', '/wrong1', '/wrong2'])
        expect((await get(path)).status).toBe(200)
      expect((await get('/wrong0')).status).toBe(global ? 429 : 200)
      expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['HALT_W_ROUTE_BEFORE_PLUGIN']))
      const [right = '', ...mistakes] = warnings.map(({ message }) => message)
      expect(right).toContain('GET /right was declared before the plugin was loaded; ')
      expect(mistakes).toEqual(
        codes.map((code, i) => expect.stringMatching(new RegExp(`GET /wrong${i} .* is wrong.*: ${code}: `))),
      )
      expect(mistakes[0]).toContain(global ? 'only the global limit applies' : 'it is not limited')
    },
  )

  it('tells them by process.emitWarning where nobody takes warnings, unless they are silenced', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const app = makeApp()
    void app.register(halt, { limiter: makeLimiter(9) })
    for (const [i, config] of wrong.entries())
      app.get(`/wrong${i}`, { config: { halt: config as never } }, () => 'ok')
    const get = await listen(app)
    await get('/wrong0')
    await get('/wrong1')
    silence('HALT_W_ROUTE_BEFORE_PLUGIN')
    await get('/wrong2')
    expect(emit.mock.calls).toEqual(
      [0, 1].map(i => [
        expect.stringContaining(codes[i] as string),
        { type: 'HaltWarning', code: 'HALT_W_ROUTE_BEFORE_PLUGIN' },
      ]),
    )
    emit.mockRestore()
  })
})
