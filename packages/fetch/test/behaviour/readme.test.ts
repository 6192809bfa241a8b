import { describe, expect, it } from 'vitest'

import { readmeSuite } from '../../../../tools/readme-suite.ts'
import { listen } from '../adapter.ts'
import type { Handler } from '../app.ts'

const example = readmeSuite<Handler>({
  name: '@halt/fetch',
  readme: new URL('../../README.md', import.meta.url),
  modules: {
    '@halt/core': () => import('@halt/core'),
    '@halt/fetch': () => import('../../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
    // The tests choose the port.
    '@hono/node-server': async () => ({ serve() {} }),
  },
  serve: listen,
})

const fromFly = { headers: { 'Fly-Client-IP': '203.0.113.7' } }

describe('the README of @halt/fetch', () => {
  it('a handler of the README shows its decision', async () => {
    const ask = await example('Handlers')
    expect(await (await ask('/', fromFly)).json()).toEqual({ left: 99 })
    expect((await ask('/', fromFly)).headers.get('ratelimit-remaining')).toBe('98')
  })

  it('a middleware of the README limits, and adds its headers', async () => {
    const ask = await example('Middleware')
    const answers = [await ask('/', fromFly), await ask('/', fromFly), await ask('/', fromFly)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual(['1', '0', '0'])
    expect(await answers[0]?.text()).toBe('from the app')
  })

  it('an app of the README limits streams in flight', async () => {
    const ask = await example('Requests in flight')
    const answers = await Promise.all([1, 2, 3].map(() => ask('/answer')))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429])
    const bodies = await Promise.all(answers.map(answer => answer.text()))
    expect(bodies.filter(body => body === 'Make haste slowly.').length).toBe(2)
  })
})
