import { randomUUID } from 'node:crypto'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import type { AppOptions } from '../src/app.ts'
import { listen, type Listening } from '../src/listen.ts'
import { call, say } from '../src/other-clients.ts'

interface Opened {
  readonly store: AppOptions['store']
  close(): Promise<void>
}

const stores: readonly (readonly [string, (clock: ManualClock) => Opened])[] = [
  ['memory', ({ now }) => ({ store: new InMemoryStore({ clock: now }), close: async () => {} })],
  [
    'Redis',
    ({ now }) => {
      const client = new Redis(inject('redisUrl'))
      const store = new RedisStore({ client, prefix: `test:${randomUUID()}:`, clock: now })
      const close = async (): Promise<void> => {
        await store.close()
        await client.quit()
      }
      return { store, close }
    },
  ],
]

describe.each(stores)('the demo on %s', (_, open) => {
  let clock: ManualClock
  let opened: Opened
  let server: Listening
  beforeEach(async () => {
    clock = new ManualClock()
    opened = open(clock)
    // Generous: a busy machine is no failure of Redis.
    server = await listen({ store: opened.store, storeTimeout: '5s' }, 0)
  })
  afterEach(async () => {
    await server.close()
    await opened.close()
  })

  const as = (user?: string, plan = 'free'): Record<string, string> =>
    user === undefined ? {} : { 'X-Demo-User': user, 'X-Demo-Plan': plan }
  const get = (path: string, user?: string, plan?: string): Promise<Response> =>
    fetch(server.url + path, { headers: as(user, plan) })
  const post = (path: string, body: object, user?: string): Promise<Response> =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...as(user) },
      body: JSON.stringify(body),
    })
  const login = (password: string): Promise<Response> => post('/auth/login', { password })
  async function statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
    const found: number[] = []
    for (let i = 0; i < times; i++) found.push((await ask()).status)
    return found
  }

  it('lets an address ask 120 times at once, 100 times a minute', async () => {
    const found = await statuses(121, () => get('/quotes'))
    expect(found.filter(status => status === 429).length).toBe(1)
    expect(found.at(-1)).toBe(429)
    clock.advance('600ms')
    expect(await statuses(2, () => get('/quotes'))).toEqual([200, 429])
  })

  it('lets a user ask as often as their plan says', async () => {
    expect(await statuses(6, () => get('/quotes', 'ann'))).toEqual([200, 200, 200, 200, 200, 429])
    expect(await statuses(6, () => get('/quotes', 'bob', 'pro'))).toEqual([200, 200, 200, 200, 200, 200])
  })

  it('says when to come back, and lets the user in then', async () => {
    await statuses(5, () => get('/quotes', 'ann'))
    const refused = await get('/quotes', 'ann')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('ratelimit-limit')).toBe('5')
    expect(refused.headers.get('ratelimit-remaining')).toBe('0')
    expect(await refused.json()).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Too many requests. Please try again later.',
      retry_after: 1,
    })
    clock.advance(Number(refused.headers.get('retry-after')))
    expect((await get('/quotes', 'ann')).status).toBe(200)
  })

  it('keeps what was used when the plan changes', async () => {
    await statuses(5, () => get('/quotes', 'ann'))
    const upgraded = await get('/quotes', 'ann', 'pro')
    expect(upgraded.status).toBe(200)
    expect(upgraded.headers.get('ratelimit-remaining')).toBe('44')
  })

  it('charges a report as much as five quotes', async () => {
    const report = await get('/reports', 'ann')
    expect([report.status, report.headers.get('ratelimit-remaining')]).toEqual([200, '0'])
    expect((await get('/quotes', 'ann')).status).toBe(429)
  })

  it('takes three passwords, then none for three seconds, the right one included', async () => {
    expect(await statuses(4, () => login('guess'))).toEqual([401, 401, 401, 429])
    clock.advance('2900ms')
    const blocked = await login('correct horse')
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '1'])
    clock.advance('100ms')
    expect((await login('correct horse')).status).toBe(200)
  })

  it('never counts the health check', async () => {
    const health = await statuses(130, () => get('/health'))
    expect(health.every(status => status === 200)).toBe(true)
    expect((await get('/quotes')).headers.get('ratelimit-remaining')).toBe('100')
  })

  it('charges every field of a GraphQL request', async () => {
    const query = `{ ${Array.from({ length: 8 }, (__, i) => `q${i}: quote`).join(' ')} }`
    const answer = await post('/graphql', { query }, 'ann')
    const { data, errors } = (await answer.json()) as {
      data: Record<string, number | null>
      errors: object[]
    }
    expect(Object.values(data).filter(value => value !== null)).toHaveLength(5)
    expect(errors).toHaveLength(3)
    expect(errors[0]).toMatchObject({ extensions: { code: 'TOO_MANY_REQUESTS', retry_after: 1 } })
    expect((await get('/quotes', 'ann')).status).toBe(429)
  })

  it('charges every message on a WebSocket', async () => {
    const answers = await say(`${server.url.replace('http', 'ws')}/chat`, 5)
    expect(answers.filter(answer => answer.includes('"said"'))).toHaveLength(3)
    expect(answers.filter(answer => answer.includes('rate_limit_exceeded'))).toHaveLength(2)
  })

  it('charges every message of another service', async () => {
    const answers = await call(server.servicePort, 'render', 3)
    expect(answers.slice(0, 2)).toEqual(['rendered page 1', 'rendered page 2'])
    expect(answers[2]).toContain('rate_limit_exceeded')
  })
})
