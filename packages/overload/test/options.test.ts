import { afterEach, describe, expect, it } from 'vitest'
import type { HaltWarning } from '@halt/core'

import { loopOf } from '../src/base/loop.ts'
import { loadShedder, makeShedder } from '../src/load-shedder.ts'
import type { NodeRequest } from '../src/shedder/options.ts'
import { pinned, serve, shedderOf, type TestServer, until } from './pinned.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** An object whose property `then` cannot be read. */
function thenable(): unknown {
  const get = (): never => {
    throw new Error('a getter broke')
  }
  // oxlint-disable-next-line unicorn/no-thenable -- that is the point
  return Object.defineProperty({}, 'then', { get })
}

/** So many different paths. */
function paths(count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `/${String.fromCharCode(97 + (i % 26))}${'x'.repeat(i / 26)}`,
  )
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('loadShedder', () => {
  it('loadShedder needs no options', () => {
    expect(loadShedder().state).toMatchObject({
      name: 'app',
      mode: 'enforce',
      limit: 0,
      inFlight: 0,
      limits: [],
    })
  })

  it.each([
    ['a limit', { limit: 100 }, 'HALT_E_SHEDDER_FIELD'],
    ['a window', { window: 60 }, 'HALT_E_SHEDDER_FIELD'],
    ['a key', { keyExtractor: () => 'x' }, 'HALT_E_SHEDDER_FIELD'],
    ['a store', { store: {} }, 'HALT_E_SHEDDER_FIELD'],
    ['a threshold of under-pressure', { maxEventLoopDelay: 100 }, 'HALT_E_SHEDDER_FIELD'],
    ['an unknown option', { prioritty: 'normal' }, 'HALT_E_UNKNOWN_FIELD'],
    ['options that are no object', 'normal', 'HALT_E_OPTION'],
    ['null', null, 'HALT_E_OPTION'],
    ['an unknown tier', { priority: 'high' }, 'HALT_E_OPTION'],
    ['a scope, which it has no more', { scope: 'route' }, 'HALT_E_SHEDDER_FIELD'],
    ['an unknown mode', { mode: 'on' }, 'HALT_E_OPTION'],
    ['a name with spaces', { name: 'my app' }, 'HALT_E_OPTION'],
    ['a route that is text', { route: '/x' }, 'HALT_E_OPTION'],
    ['min 0', { min: 0 }, 'HALT_E_OPTION'],
    ['max below min', { min: 10, max: 5 }, 'HALT_E_OPTION'],
    ['NaN', { max: Number.NaN }, 'HALT_E_OPTION'],
    ['an error format that does not exist', { errorFormat: 'xml' }, 'HALT_E_OPTION'],
    ['a warn that is no function', { warn: true }, 'HALT_E_OPTION'],
    ['exemptions that are text', { exemptions: '/admin' }, 'HALT_E_OPTION'],
    ['a pattern', { exemptions: ['/admin/*'] }, 'HALT_E_EXEMPTION'],
    ['an exemption of everything', { exemptions: ['/'] }, 'HALT_E_EXEMPTION'],
    ['an address', { exemptions: ['10.0.0.0/8'] }, 'HALT_E_EXEMPTION'],
    ['health checks that are text', { exemptHealthChecks: '/up' }, 'HALT_E_OPTION'],
  ])('loadShedder throws for %s', (_name, options, code) => {
    expect(() => loadShedder(options as never)).toThrow(expect.objectContaining({ code }))
  })

  it('an error for a field of a rate limit says to use a RateLimiter', () => {
    expect(() => loadShedder({ limit: 100 } as never)).toThrow(/no number to set.*use a RateLimiter/)
  })
})

describe('priority', () => {
  it('priority gets the request, and sorts it into a tier', async () => {
    const priority = (request: NodeRequest): 'critical' | 'batch' =>
      request.headers['x-job'] === undefined ? 'critical' : 'batch'
    const shedder = shedderOf(9, { priority })
    server = await serve(shedder.wrap((_request, response) => response.end()))
    await server.get()
    await server.get('/', { headers: { 'x-job': '1' } })
    expect(shedder.state.admitted).toEqual({ critical: 1, normal: 0, batch: 1 })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no user')
      },
      'no user',
    ],
    ['returns an unknown tier', () => 'high', '"high"'],
    ['returns a promise', async () => 'critical', 'an object'],
    ['rejects', async () => Promise.reject(new Error('later')), 'an object'],
    ['returns an object whose then throws', () => thenable(), 'a getter broke'],
    ['returns a revoked proxy', () => revoked(), 'revoked'],
    ['returns a symbol', () => Symbol('high'), 'Symbol(high)'],
    ['returns NaN', () => Number.NaN, 'NaN'],
  ])('a request counts as normal if priority %s, and Halt warns', async (_name, priority, said) => {
    const warnings: HaltWarning[] = []
    const shedder = shedderOf(9, { priority: priority as never, warn: warning => warnings.push(warning) })
    server = await serve(shedder.wrap((_request, response) => response.end()))
    expect((await server.get()).status).toBe(200)
    expect(shedder.state.admitted.normal).toBe(1)
    expect(warnings).toEqual([expect.objectContaining({ code: 'HALT_W_SHEDDER_CALLBACK' })])
    expect(warnings[0]?.message).toContain(said)
  })
})

describe('route', () => {
  it('a shedder has one limit for each route, and names it by the path or by the function', async () => {
    const shedder = shedderOf(5, { route: undefined })
    server = await serve(shedder.wrap((_request, response) => response.end()))
    for (const path of ['/users/1', '/users/2', '/items']) await server.get(path)
    expect(shedder.state.limits.map(({ route, admitted }) => [route, admitted.normal])).toEqual([
      ['GET /users/:id', 2],
      ['GET /items', 1],
    ])
    const named = shedderOf(5, {
      route: (request: NodeRequest) => request.url?.slice(0, 3) ?? '',
    })
    await server.close()
    server = await serve(named.wrap((_request, response) => response.end()))
    await server.get('/users/1')
    expect(named.state.limits.map(({ route }) => route)).toEqual(['/us'])
  })

  it('a shedder tells at most 128 routes apart, and counts the others as one', async () => {
    const shedder = shedderOf(5, { route: undefined })
    const handle = shedder.fetch(() => new Response())
    for (const path of paths(140)) await handle(new Request(`http://x${path}`))
    expect(shedder.state.limits).toHaveLength(129)
    expect(shedder.state.limits.at(-1)?.route).toBe('other')
    expect(shedder.state.admitted.normal).toBe(140)
  })

  it('a route that gives its row away leaves all counts as they are, and tells that it is calm', async () => {
    let skipped = 0
    const real = loopOf()!
    const shedder = shedderOf(1, { route: undefined }, { ...real, now: () => real.now() + skipped })
    let calm = 0
    shedder.on('calm', () => calm++)
    let go = (): void => {}
    server = await serve(
      shedder.wrap(async (request, response) => {
        if (request.url === '/first') await new Promise<void>(resolve => (go = resolve))
        response.end()
      }),
    )
    const { get } = server
    const first = get('/first')
    await until(() => shedder.state.inFlight === 1)
    expect((await get('/first')).status).toBe(503)
    skipped += 1100
    expect((await get('/first')).status).toBe(503)
    go()
    await first
    for (const path of paths(127)) await get(path)
    expect(shedder.state).toMatchObject({ admitted: { normal: 128 }, refused: { normal: 2 } })
    skipped += 61_000
    await get('/late')
    expect(shedder.state.limits.map(({ route }) => route)).not.toContain('GET /first')
    expect(shedder.state).toMatchObject({ admitted: { normal: 129 }, refused: { normal: 2 } })
    expect(calm).toBe(1)
  })

  it('a route that somebody answers gets the row of one that nobody answers', async () => {
    const shedder = shedderOf(5, { route: undefined })
    const handle = shedder.fetch(
      ({ url }: Request) => new Response(null, { status: url.endsWith('/checkout') ? 200 : 404 }),
    )
    for (const path of [...paths(140), '/checkout']) await handle(new Request(`http://x${path}`))
    expect(shedder.state.limits.map(({ route }) => route)).toContain('GET /checkout')
    expect(shedder.state.limits.length).toBeLessThanOrEqual(129)
    expect(shedder.state.admitted.normal).toBe(141)
  })

  it('a shedder names the route by the path if the function fails', async () => {
    const warnings: HaltWarning[] = []
    const shedder = shedderOf(5, {
      route: (() => 7) as never,
      warn: warning => warnings.push(warning),
    })
    server = await serve(shedder.wrap((_request, response) => response.end()))
    await server.get('/items')
    expect(shedder.state.limits[0]?.route).toBe('GET /items')
    expect(warnings[0]?.code).toBe('HALT_W_SHEDDER_CALLBACK')
  })
})

describe('a runtime whose loop cannot be seen', () => {
  it('loopOf sees no loop in Workers, or without setImmediate', () => {
    expect(loopOf()).toBeDefined()
    expect(loopOf({ ...globalThis, navigator: { userAgent: 'Cloudflare-Workers' } })).toBeUndefined()
    expect(loopOf({ performance })).toBeUndefined()
  })

  it('a shedder without a loop lets all requests pass, and warns', async () => {
    const warnings: HaltWarning[] = []
    const warn = (warning: HaltWarning): void => void warnings.push(warning)
    const shedder = makeShedder({ warn }, { loop: undefined, controller: () => pinned(1) })
    const handler = shedder.fetch(() => new Response('done'))
    for (let i = 0; i < 3; i++) expect((await handler(new Request('http://x/'))).status).toBe(200)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_LOOP_UNSEEN'])
    expect(shedder.state.mode).toBe('off')
  })

  it('a shedder without a loop does not warn with mode "off"', () => {
    const warn = (): never => expect.fail('it warned')
    makeShedder({ mode: 'off', warn }, { loop: undefined, controller: () => pinned(1) })
  })
})
