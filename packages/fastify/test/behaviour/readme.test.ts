import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'

import { exampleAfter, type Modules } from '../../../../tools/example.ts'
import { listen, statuses } from '../server.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  fastify: () => import('fastify'),
  'node:timers/promises': () => import('node:timers/promises'),
  '@halt/core': () => import('@halt/core'),
  '@halt/fastify': () => import('../../src/index.ts'),
  '@halt/store-memory': () => import('@halt/store-memory'),
}

async function serve(heading: string): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const { app } = await exampleAfter<FastifyInstance>(readme, `# ${heading}\n`, modules)
  onTestFinished(() => app.close())
  return listen(app)
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})

describe('the examples in the README', () => {
  it('begin with one that limits on localhost', async () => {
    const ask = await serve('@halt/fastify')
    const started = performance.now()
    let refused = await ask('/')
    let admitted = 0
    for (; refused.status === 404; admitted++) refused = await ask('/')
    expect(refused.status).toBe(429)
    // The bucket fills while it is emptied.
    expect(admitted).toBeGreaterThanOrEqual(100)
    expect(admitted).toBeLessThanOrEqual(101 + ((performance.now() - started) * 100) / 60_000)
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'ratelimit-limit': '100',
      'ratelimit-remaining': '0',
      'retry-after': '1',
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(readme).toContain(await refused.text())
  })

  it('vary it by route', async () => {
    const ask = await serve('One route')
    expect(await statuses(6, () => ask('/search'))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await ask('/import')).status).toBe(429)
    expect((await ask('/report')).headers.get('ratelimit-remaining')).toBe('85')
    expect((await ask('/status')).headers.get('ratelimit-limit')).toBeNull()
  })

  it('use hooks', async () => {
    const ask = await serve('Hooks of your own')
    expect(await statuses(4, () => ask('/scan'))).toEqual([404, 404, 404, 429])
    expect(await (await ask('/data')).json()).toEqual({ left: 99 })
  })

  it('count only wrong passwords', async () => {
    const ask = await serve('Login')
    const login = (password: string) => () => ask('/auth/login', post({ password }))
    expect(new Set(await statuses(20, login('correct horse')))).toEqual(new Set([200]))
    expect(await statuses(11, login('guess'))).toEqual([...Array<number>(10).fill(401), 429])
    expect(await statuses(1, login('correct horse'))).toEqual([429])
  })

  it('find the client behind a proxy', async () => {
    const ask = await serve('Behind a proxy')
    const left = async (forwarded: string): Promise<string | null> =>
      (await ask('/', { headers: { 'X-Forwarded-For': forwarded } })).headers.get('ratelimit-remaining')
    expect(await left('203.0.113.1')).toBe('99')
    expect(await left('198.51.100.9, 203.0.113.1, 10.0.0.3')).toBe('98')
    expect(await left('203.0.113.2')).toBe('99')
  })

  it('count users by their plan', async () => {
    const ask = await serve('Users and plans')
    const data = async (user: string): Promise<unknown> =>
      (await ask('/data', { headers: { 'X-User': user } })).json()
    expect(await data('ann')).toEqual({ key: 'user:ann', left: 119 })
    expect(await data('ann')).toEqual({ key: 'user:ann', left: 118 })
    expect(await data('bob')).toEqual({ key: 'user:bob', left: 119 })
  })

  it('charge more for more', async () => {
    const ask = await serve('Requests that cost more')
    expect(await (await ask('/export')).json()).toEqual({ left: 50 })
    expect(await (await ask('/rows', post({ rows: [1, 2, 3] }))).json()).toEqual({ left: 47 })
    expect((await ask('/')).headers.get('ratelimit-remaining')).toBe('46')
  })

  it('hold several limits', async () => {
    const ask = await serve('Several limits at once')
    const { headers } = await ask('/data')
    expect(headers.get('ratelimit')).toMatch(
      /^"second";r=9;t=\d, "hour";r=999;t=\d, "everybody";r=4999;t=\d$/,
    )
    const codes = await Promise.all(Array.from({ length: 20 }, async () => (await ask('/data')).status))
    expect(codes).toContain(429)
  })

  it('throw to the error handler', async () => {
    const ask = await serve('Your error handler')
    await ask('/data')
    const refused = await ask('/data')
    expect([refused.status, await refused.json()]).toEqual([429, { oops: 'too fast', seconds: 60 }])
  })

  it('answer in their own words', async () => {
    const ask = await serve('An answer of your own')
    await ask('/data')
    const refused = await ask('/data')
    expect([refused.status, await refused.text()]).toEqual([429, 'Come back in 60 s.'])
    expect(refused.headers.get('retry-after')).toBe('60')
  })

  it('decide in a handler', async () => {
    const ask = await serve('A handler that decides')
    const rows = (count: number): Promise<Response> =>
      ask('/import', post({ rows: Array<number>(count).fill(0) }))
    expect(await (await rows(600)).json()).toEqual({ left: 400 })
    const refused = await rows(600)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
  })

  it('limit requests in flight', async () => {
    const ask = await serve('Requests in flight')
    const codes = await Promise.all([1, 2, 3].map(async () => (await ask('/export')).status))
    expect(codes.toSorted((a, b) => a - b)).toEqual([200, 200, 429])
  })
})
