import type { Express } from 'express'
import { describe, expect, it } from 'vitest'

import { post, readmeSuite, statuses } from '../../../../tools/readme-suite.ts'
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
  it('has an app with three mounts', async () => {
    const ask = await example('Where to mount it')
    for (let left = 4; left >= 0; left--) expect(await (await ask('/api/search')).json()).toEqual({ left })
    expect((await ask('/api/search')).status).toBe(429)
    expect((await ask('/api/other')).headers.get('ratelimit-limit')).toBe('50')
    expect((await ask('/other')).headers.get('ratelimit-limit')).toBe('100')
  })

  it('has a login that admits many good passwords at once, and few guesses', async () => {
    const ask = await example('Many logins at once')
    const login = (password: string) => (): Promise<Response> => ask('/auth/login', post({ password }))
    const good = await Promise.all(Array.from({ length: 20 }, login('correct horse')))
    expect(good.every(({ status }) => status === 200)).toBe(true)
    const guesses = await Promise.all(Array.from({ length: 60 }, login('guess')))
    expect(guesses.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(3 + 20)
    expect(await statuses(1, login('guess'))).toEqual([429])
  })

  it('has an app that limits requests in flight', async () => {
    const ask = await example('Requests in flight')
    const answers = await Promise.all([1, 2, 3].map(() => ask('/export')))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429])
  })
})
