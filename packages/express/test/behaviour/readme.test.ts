import type { Express } from 'express'
import { describe, expect, it } from 'vitest'

import { readmeSuite } from '../../../../tools/readme-suite.ts'
import { listen } from '../adapter.ts'

const example = readmeSuite<Express>({
  name: '@halt/express',
  readme: new URL('../../README.md', import.meta.url),
  modules: {
    express: () => import('express'),
    '@halt/core': () => import('@halt/core'),
    '@halt/express': () => import('../../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
  },
  serve: listen,
})

describe('the README of @halt/express', () => {
  it('an app of the README has three mounts', async () => {
    const ask = await example('Where to mount it')
    for (let left = 4; left >= 0; left--) expect(await (await ask('/api/search')).json()).toEqual({ left })
    expect((await ask('/api/search')).status).toBe(429)
    expect((await ask('/api/other')).headers.get('ratelimit-limit')).toBe('50')
    expect((await ask('/other')).headers.get('ratelimit-limit')).toBe('100')
  })
})
