import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'

import { post, readmeSuite, statuses } from '../../../../tools/readme-suite.ts'

const example = readmeSuite<FastifyInstance>({
  name: '@halt/fastify',
  readme: new URL('../../README.md', import.meta.url),
  modules: {
    fastify: () => import('fastify'),
    'node:timers/promises': () => import('node:timers/promises'),
    '@halt/core': () => import('@halt/core'),
    '@halt/fastify': () => import('../../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
  },
  ownAnswer: '{"error":"limited","seconds":60}',
  serve: async app => ({
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
    },
  }),
})

describe('the README of @halt/fastify', () => {
  it('an app of the README has routes with limits of their own', async () => {
    const ask = await example('One route')
    expect(await statuses(6, () => ask('/search'))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await ask('/import')).status).toBe(429)
    expect((await ask('/report')).headers.get('ratelimit-remaining')).toBe('85')
    expect((await ask('/status')).headers.get('ratelimit-limit')).toBeNull()
  })

  it('an app of the README has hooks with limits', async () => {
    const ask = await example('Hooks of your own')
    expect(await statuses(4, () => ask('/scan'))).toEqual([404, 404, 404, 429])
    expect(await (await ask('/data')).json()).toEqual({ left: 99 })
  })

  it('an app of the README charges by the body', async () => {
    const ask = await example('Requests that cost more')
    expect(await (await ask('/rows', post({ rows: [1, 2, 3] }))).json()).toEqual({ left: 97 })
  })

  it('the error handler of an app of the README answers a refusal', async () => {
    const ask = await example('Your error handler')
    await ask('/data')
    const refused = await ask('/data')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toEqual({ oops: 'too fast', seconds: 60 })
  })

  it('an app of the README limits requests in flight', async () => {
    const ask = await example('Requests in flight')
    const answers = await Promise.all([1, 2, 3].map(() => ask('/export')))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429])
  })
})
