import { Control, TopKeys } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { operator } from '@halt/operator'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { afterAll, expect, inject, it, onTestFinished } from 'vitest'

import { halt } from '../halt.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const env = { HALT_REDIS_URL: inject('redisUrl') }

/** A process that counts its keys, on a store that it shares. */
function counting(prefix: string) {
  const store = new RedisStore({ client, prefix })
  const topKeys = new TopKeys({ store, every: '20ms' })
  const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const
  const limiter = new RateLimiter({ store, policy, storeTimeout: '30s', telemetry: topKeys })
  onTestFinished(async () => {
    await topKeys.close()
    await limiter.close()
  })
  return limiter
}

it('halt top lists the busiest keys over two processes', async () => {
  const prefix = `top-${randomUUID()}:`
  const [a, b] = [counting(prefix), counting(prefix)]
  for (let i = 0; i < 3; i++) for (const process of [a, b]) await process.consume({ user: 'busy\u001b[31m' })
  await b.consume({ user: '7' })
  await expect
    .poll(async () => (await halt(['top', '--prefix', prefix], { env })).out)
    .toMatch(
      /^Redis .*: 2 live processes\n2 processes.*\n\nRefused +requests\nper_user {2}user:#\w+ +4\n\nUsed +requests\nper_user {2}user:#\w+ +2\nper_user {2}user:7 +1\n/,
    )
  const { code, out } = await halt(['top', '--json', '--most', '1', '--prefix', prefix], { env })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    processes: 2,
    silentProcesses: 0,
    refused: [{ policy: 'per_user', count: 4, error: 0 }],
    used: [{ policy: 'per_user', count: 2, error: 0 }],
  })
})

it('halt top says that a live process has told nothing', async () => {
  const prefix = `top-${randomUUID()}:`
  const a = counting(prefix)
  await a.consume({ user: '7' })
  const store = new RedisStore({ client, prefix })
  const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const
  const mute = new RateLimiter({ store, policy, storeTimeout: '30s' })
  onTestFinished(() => mute.close())
  await mute.consume({ user: '8' })
  await expect
    .poll(async () => (await halt(['top', '--prefix', prefix], { env })).out)
    .toMatch(
      /: 2 live processes\n1 process, .*\n1 live process has told nothing, so keys and requests may be missing\.\n/,
    )
  expect(JSON.parse((await halt(['top', '--json', '--prefix', prefix], { env })).out)).toMatchObject({
    processes: 1,
    silentProcesses: 1,
  })
})

it('halt top asks the operator’s pages where no process has TopKeys, and hears of earlier keys', async () => {
  const prefix = `top-${randomUUID()}:`
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const
  const limiter = new RateLimiter({ store, control, policy, storeTimeout: '30s' })
  const page = operator({ limiters: [limiter], control, authorize: () => 'ann' })
  onTestFinished(async () => {
    page.close()
    control.close()
    await limiter.close()
  })
  for (let i = 0; i < 5; i++) await limiter.consume({ user: 'busy' })
  const { code, out } = await halt(['top', '--json', '--prefix', prefix], { env })
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    {
      processes: 1,
      refused: [{ policy: 'per_user', key: 'user:busy', count: 3 }],
      // Allowed requests are counted by key from now on.
      used: [],
    },
  ])
})

it('halt top says that nobody tells keys, and refuses a wrong number', async () => {
  const prefix = `top-${randomUUID()}:`
  const none = await halt(['top', '--prefix', prefix], { env })
  expect([none.code, none.out]).toEqual([3, expect.stringContaining('\nNo process tells its keys.')])
  expect(none.err).toContain('No process has used the prefix')
  expect((await halt(['top', '--most', '0', '--prefix', prefix], { env })).code).toBe(2)
  expect((await halt(['top', '--help'], { env })).out).toContain('npx @halt/cli top')
})
