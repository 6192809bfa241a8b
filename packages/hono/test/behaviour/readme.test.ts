import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { readmeSuite } from '../../../../tools/readme-suite.ts'
import { listen } from '../adapter.ts'

const readme = new URL('../../README.md', import.meta.url)

const example = readmeSuite<Hono>({
  name: '@halt/hono',
  readme,
  modules: {
    hono: () => import('hono'),
    'hono/streaming': () => import('hono/streaming'),
    '@halt/core': () => import('@halt/core'),
    '@halt/hono': () => import('../../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
    // The tests choose the port.
    '@hono/node-server': async () => ({ serve() {} }),
    '@hono/node-server/conninfo': () => import('@hono/node-server/conninfo'),
  },
  serve: listen,
})

describe('the README of @halt/hono', () => {
  it('an app of the README has three mounts', async () => {
    const ask = await example('Where to mount it')
    for (let left = 4; left >= 0; left--) expect(await (await ask('/api/search')).json()).toEqual({ left })
    expect((await ask('/api/search')).status).toBe(429)
    expect((await ask('/api/other')).headers.get('ratelimit-limit')).toBe('50')
    expect((await ask('/other')).headers.get('ratelimit-limit')).toBe('100')
  })

  it('an app of the README limits streams in flight', async () => {
    const ask = await example('Requests in flight')
    const answers = await Promise.all([1, 2, 3].map(() => ask('/answer')))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429])
    const bodies = await Promise.all(answers.map(answer => answer.text()))
    expect(bodies.filter(body => body === 'Make haste slowly.').length).toBe(2)
  })
})

describe('the list of runtimes in the README', () => {
  const list = /^- [^:]+: `'(@?hono\/[^']+)'`/gm
  const named = [...readFileSync(readme, 'utf8').matchAll(list)].map(([, from = '']) => from)

  it('the list of runtimes names nine modules', () => {
    expect(named.length).toBe(9)
  })

  // Bun and Deno test their own modules, which run nowhere else.
  it.each(named.filter(name => name !== 'hono/bun' && name !== 'hono/deno'))(
    'the list of runtimes names %s, which exports getConnInfo',
    async from => {
      expect(await import(from)).toMatchObject({ getConnInfo: expect.any(Function) })
    },
  )
})
