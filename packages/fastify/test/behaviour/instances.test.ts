import type { HaltWarning } from '@halt/core'
import type { FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt } from '../../src/index.ts'
import { CountingStore, listen, makeApp, makeLimiter, statuses } from '../server.ts'

const policy = (name: string, limit: number) => ({ name, limit, window: 60 })

describe('encapsulation', () => {
  it('the plugin limits the registering context and its children, and no other', async () => {
    const app = makeApp()
    await app.register(async api => {
      await api.register(halt, { limiter: makeLimiter(2) })
      api.get('/in', () => 'ok')
      await api.register(async inner => void inner.get('/below', () => 'ok'))
    })
    app.get('/out', ({ halt: decision }) => ({ decision: decision ?? null }))
    const get = await listen(app)
    expect((await get('/in')).status).toBe(200)
    expect(await statuses(2, () => get('/below'))).toEqual([200, 429])
    expect(await statuses(3, () => get('/out'))).toEqual([200, 200, 200])
    expect(app.hasDecorator('halt')).toBe(false)
  })

  it('the plugin decorates the instance that registers it', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(2) })
    expect(app.hasDecorator('halt')).toBe(true)
    expect(app.hasRequestDecorator('halt')).toBe(true)
    expect(app.hasPlugin('@halt/fastify')).toBe(true)
  })

  it('a request meets the limits of parent and child', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(3) })
    app.get('/', () => 'ok')
    await app.register(async child => {
      await child.register(halt, { limiter: makeLimiter(1, { policy: policy('child', 1) }) })
      child.get('/child', ({ halt: decision }) => decision?.policy)
    })
    const get = await listen(app)
    const first = await get('/child')
    expect(await first.text()).toBe('child')
    expect(first.headers.get('ratelimit-limit')).toBe('1')
    // The refusal of the child does not refund the charge of the parent, because they are separate checks.
    expect((await get('/child')).status).toBe(429)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
  })

  it('a limiter that parent and child share charges a request once', async () => {
    const store = new CountingStore()
    const limiter = makeLimiter(5, { store })
    const app = makeApp()
    await app.register(halt, { limiter })
    await app.register(async child => {
      await child.register(halt, { limiter })
      child.get('/child', () => 'ok')
    })
    const get = await listen(app)
    expect((await get('/child')).headers.get('ratelimit-remaining')).toBe('4')
    expect(store.groups).toHaveLength(1)
  })

  it('the nearest context reads config.halt once, and all contexts read false and override', async () => {
    const outer = new CountingStore()
    const inner = new CountingStore()
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(100, { store: outer }) })
    await app.register(async child => {
      await child.register(halt, { limiter: makeLimiter(100, { store: inner }) })
      child.get('/adds', { config: { halt: { policy: policy('route', 50) } } }, () => 'ok')
      child.get(
        '/override',
        { config: { halt: { policy: policy('other', 50), override: true } } },
        () => 'ok',
      )
      child.get('/off', { config: { halt: false } }, () => 'ok')
    })
    const get = await listen(app)
    const asked = async (path: string) => {
      outer.groups.length = inner.groups.length = 0
      await get(path)
      return [outer, inner].map(({ groups }) => groups.map(({ demands }) => demands.length))
    }
    expect(await asked('/adds')).toEqual([[1], [2]])
    expect(await asked('/override')).toEqual([[], [1]])
    expect(await asked('/off')).toEqual([[], []])
  })

  it('a child that registers after its route respects false', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1) })
    await app.register(async child => {
      child.get('/off', { config: { halt: false } }, () => 'ok')
      await child.register(halt, { limiter: makeLimiter(1) })
    })
    const get = await listen(app)
    expect(await statuses(3, () => get('/off'))).toEqual([200, 200, 200])
  })

  it('a second registration on one instance is rejected', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    const again = Promise.resolve(app.register(halt, { limiter: makeLimiter() }))
    await expect(again).rejects.toMatchObject({ code: 'HALT_E_ALREADY_REGISTERED' })
  })
})

describe('app.halt()', () => {
  it('app.halt() makes a hook for one route, on a separate limiter', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(9), global: false })
    app.get('/', { preHandler: app.halt({ limiter: makeLimiter(1) }) }, () => 'ok')
    app.get('/early', { onRequest: [app.halt({ policy: policy('early', 1) })] }, () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
    expect(await statuses(2, () => get('/early'))).toEqual([200, 429])
  })

  it('app.halt() takes missing options from the plugin: the store and the form of a refusal', async () => {
    // Only a limiter of the same kind, a whole RateLimiter, takes such a store.
    const store = new CountingStore()
    Reflect.deleteProperty(store, 'evaluator')
    const app = makeApp()
    const registered = makeLimiter(9, { store })
    await app.register(halt, { limiter: registered, global: false, errorFormat: 'problem', cost: 3 })
    app.get('/policy', { preHandler: app.halt({ policy: policy('one', 1) }) }, () => 'ok')
    app.get(
      '/options',
      { preHandler: app.halt({ policy: () => policy('two', 1), keysPerAddress: 3 }) },
      () => 'ok',
    )
    app.get('/', { preHandler: app.halt() }, () => 'ok')
    const get = await listen(app)
    for (const path of ['/policy', '/options']) {
      expect((await get(path)).status).toBe(200)
      const refused = await get(path)
      expect(refused.status).toBe(429)
      expect(refused.headers.get('content-type')).toContain('problem+json')
    }
    expect((await get('/')).headers.get('ratelimit-remaining')).toBe('6')
    expect(store.groups).toHaveLength(5)
  })

  it('app.halt() limits what the not-found handler answers', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(9), global: false })
    app.setNotFoundHandler({ preHandler: app.halt({ policy: policy('not-found', 2) }) }, (_request, reply) =>
      reply.code(404).send('nothing here'),
    )
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/scan'))).toEqual([404, 404, 429])
    expect((await get('/')).status).toBe(200)
  })

  it('a handler that calls the not-found handler is counted once', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(9), hook: 'preHandler' })
    app.get('/', (_request, reply) => reply.callNotFound())
    const get = await listen(app)
    const answer = await get('/')
    expect([answer.status, answer.headers.get('ratelimit-remaining')]).toEqual([404, '8'])
  })
})

describe('trustProxy', () => {
  const spoofed = { headers: { 'x-forwarded-for': '203.0.113.7' } }

  it.each([1, true, '127.0.0.1', () => true])(
    'trustProxy of Fastify (%s) does not change the client that Halt counts',
    async trustProxy => {
      const warnings: HaltWarning[] = []
      const app = makeApp({ trustProxy } as unknown as FastifyServerOptions)
      await app.register(halt, { limiter: makeLimiter(9, { warn: warning => warnings.push(warning) }) })
      app.get('/', ({ halt: decision }) => decision?.key)
      const get = await listen(app)
      expect(await (await get('/', spoofed)).text()).toBe('ip:127.0.0.1')
      expect(warnings.map(({ code }) => code)).toContain('HALT_W_TRUST_PROXY_IGNORED')
    },
  )

  it.each([1, undefined])(
    'trustProxy %s leaves the client to the trustedProxies of Halt, without a warning',
    async trustProxy => {
      const warnings: HaltWarning[] = []
      const app = makeApp({ trustProxy } as unknown as FastifyServerOptions)
      const limiter = makeLimiter(9, {
        trustedProxies: ['loopback'],
        warn: warning => warnings.push(warning),
      })
      await app.register(halt, { limiter })
      app.get('/', ({ halt: decision }) => decision?.key)
      const get = await listen(app)
      expect(await (await get('/', spoofed)).text()).toBe('ip:203.0.113.7')
      expect(warnings).toEqual([])
    },
  )
})

describe('two registrations with policies of one name on separate stores', () => {
  const codes: string[] = []
  const options = { policy: policy('twice', 2), warn: ({ code }: HaltWarning) => void codes.push(code) }

  it('two registrations with policies of one name get a warning, unless the first app has closed', async () => {
    const build = async (times: number): Promise<void> => {
      const app = makeApp()
      for (let i = 0; i < times; i++)
        await app.register(async child => {
          await child.register(halt, options)
        })
      await app.ready()
      await app.close()
    }
    await build(1)
    await build(1)
    expect(codes).toEqual([])
    await build(2)
    expect(codes).toEqual(['HALT_W_COUNTER_SPLIT'])
  })
})

it('an error for a wrong option has a stack that begins at the call of app.halt()', async () => {
  const app = makeApp()
  await app.register(halt, { limiter: makeLimiter(2) })
  expect(firstLine(() => app.halt({ policy: policy('api', 0) }))).toContain('instances.test.ts')
})

/** The first line of the stack of a thrown error. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
