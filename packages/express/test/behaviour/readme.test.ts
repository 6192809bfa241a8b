import { readFileSync } from 'node:fs'
import type { Express } from 'express'
import { describe, expect, it } from 'vitest'

import { exampleAfter, type Modules } from '../../../../tools/example.ts'
import { listen } from '../adapter.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  express: () => import('express'),
  '@halt/core': () => import('@halt/core'),
  '@halt/express': () => import('../../src/index.ts'),
  '@halt/store-memory': () => import('@halt/store-memory'),
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>

async function withApp(line: string, test: (ask: Ask) => Promise<void>): Promise<void> {
  const { app } = await exampleAfter<Express>(readme, line, modules)
  const { url, close } = await listen(app)
  try {
    await test((path, init) => fetch(url + path, init))
  } finally {
    await close()
  }
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})

describe('the examples in the README', () => {
  it('begin with one that limits on localhost', async () => {
    await withApp('# @halt/express\n', async ask => {
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
  })

  it('mount it anywhere', async () => {
    await withApp('# Where to mount it\n', async ask => {
      for (let left = 4; left >= 0; left--) expect(await (await ask('/api/search')).json()).toEqual({ left })
      expect((await ask('/api/search')).status).toBe(429)
      expect((await ask('/api/other')).headers.get('ratelimit-limit')).toBe('50')
      expect((await ask('/other')).headers.get('ratelimit-limit')).toBe('100')
    })
  })

  it('count only wrong passwords', async () => {
    await withApp('# Login\n', async ask => {
      const login = async (password: string): Promise<number> =>
        (await ask('/auth/login', post({ password }))).status
      for (let i = 0; i < 20; i++) expect(await login('correct horse')).toBe(200)
      for (let i = 0; i < 10; i++) expect(await login('guess')).toBe(401)
      expect(await login('guess')).toBe(429)
      expect(await login('correct horse')).toBe(429)
    })
  })

  it('let many good logins in at once, and few guesses', async () => {
    await withApp('With `inFlight`', async ask => {
      const login = async (password: string): Promise<number> =>
        (await ask('/auth/login', post({ password }))).status
      const good = await Promise.all(Array.from({ length: 20 }, () => login('correct horse')))
      expect(good.every(status => status === 200)).toBe(true)
      const guesses = await Promise.all(Array.from({ length: 60 }, () => login('guess')))
      expect(guesses.filter(status => status === 401).length).toBeLessThanOrEqual(3 + 20)
      expect(await login('guess')).toBe(429)
    })
  })

  it('find the client behind a proxy', async () => {
    await withApp('# Behind a proxy\n', async ask => {
      const left = async (forwarded: string): Promise<string | null> =>
        (await ask('/', { headers: { 'X-Forwarded-For': forwarded } })).headers.get('ratelimit-remaining')
      expect(await left('203.0.113.1')).toBe('99')
      expect(await left('198.51.100.9, 203.0.113.1, 10.0.0.3')).toBe('98')
      expect(await left('203.0.113.2')).toBe('99')
    })
  })

  it('count users by their plan', async () => {
    await withApp('# Users and plans\n', async ask => {
      const data = async (user: string): Promise<unknown> =>
        (await ask('/data', { headers: { 'X-User': user } })).json()
      expect(await data('ann')).toEqual({ key: 'user:ann', left: 119 })
      expect(await data('ann')).toEqual({ key: 'user:ann', left: 118 })
      expect(await data('bob')).toEqual({ key: 'user:bob', left: 119 })
    })
  })

  it('charge more for more', async () => {
    await withApp('# Requests that cost more\n', async ask => {
      expect(await (await ask('/export')).json()).toEqual({ left: 50 })
      expect((await ask('/')).headers.get('ratelimit-remaining')).toBe('49')
    })
  })

  it('hold several limits', async () => {
    await withApp('# Several limits at once\n', async ask => {
      const { headers } = await ask('/data')
      expect(headers.get('ratelimit')).toMatch(
        /^"second";r=9;t=\d, "hour";r=999;t=\d, "everybody";r=4999;t=\d$/,
      )
      const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await ask('/data')).status))
      expect(statuses).toContain(429)
    })
  })

  it('answer in their own words', async () => {
    await withApp('# An answer of your own\n', async ask => {
      await ask('/data')
      const refused = await ask('/data')
      expect([refused.status, await refused.text()]).toEqual([429, 'Come back in 60 s.'])
      expect(refused.headers.get('retry-after')).toBe('60')
    })
  })

  it('decide in a handler', async () => {
    await withApp('# A handler that decides\n', async ask => {
      const rows = (count: number): Promise<Response> =>
        ask('/import', post({ rows: Array<number>(count).fill(0) }))
      expect(await (await rows(600)).json()).toEqual({ left: 400 })
      const refused = await rows(600)
      expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json'])
    })
  })

  it('limit requests in flight', async () => {
    await withApp('# Requests in flight\n', async ask => {
      const statuses = await Promise.all([1, 2, 3].map(async () => (await ask('/export')).status))
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 429])
    })
  })
})
