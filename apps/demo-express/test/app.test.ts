import { randomUUID } from 'node:crypto'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { createApp } from '../src/app.ts'
import { listen, type Listening } from '../src/listen.ts'

interface Opened {
  readonly store: Parameters<typeof createApp>[0]['store']
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
    server = await listen(createApp({ store: opened.store, storeTimeout: '5s' }), 0)
  })
  afterEach(async () => {
    await server.close()
    await opened.close()
  })

  const get = (path: string, user?: string, plan = 'free'): Promise<Response> =>
    fetch(server.url + path, {
      headers: user === undefined ? {} : { 'X-Demo-User': user, 'X-Demo-Plan': plan },
    })
  const login = (password: string): Promise<Response> =>
    fetch(`${server.url}/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ password }),
    })
  async function statuses(times: number, ask: () => Promise<Response>): Promise<number[]> {
    const found: number[] = []
    for (let i = 0; i < times; i++) found.push((await ask()).status)
    return found
  }

  it('lets an address ask 120 times at once, 100 times a minute', async () => {
    const found = await statuses(121, () => get('/auth/nothing'))
    expect(found.filter(status => status === 429).length).toBe(1)
    expect(found.at(-1)).toBe(429)
    clock.advance('600ms')
    expect(await statuses(2, () => get('/auth/nothing'))).toEqual([404, 429])
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

  it('counts those without a user by their address', async () => {
    expect(await statuses(6, () => get('/quotes'))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await get('/quotes', 'ann')).status).toBe(200)
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
    expect((await get('/quotes', 'ann')).headers.get('ratelimit-limit')).toBe('5')
  })
})
