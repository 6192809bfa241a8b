// A counter that this process cannot read, or that somebody has paused, disturbs no other client of the process.
import { type Policy, type Decision, type HaltWarning, RateLimiter } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const bucket = { name: 'p', limit: 100, window: '1h', keyStrategy: 'user' } as const

/** A limiter whose warnings and errors are kept. */
function scene(policy: Policy) {
  const prefix = `${unique()}:`
  const warnings: HaltWarning[] = []
  const errors: { counter?: string; message: string }[] = []
  const limiter = new RateLimiter({
    store: new RedisStore({ client, prefix, connection: 'shared' }),
    policy,
    onStoreError: 'closed',
    storeTimeout: '10s',
    warn: warning => void warnings.push(warning),
    telemetry: { onStoreError: error => void errors.push(error as (typeof errors)[0]) },
  })
  const ask = (user: string): Promise<Decision> => limiter.consume({ user })
  /** Twelve rounds in which a client asks among others, alone and in one call. */
  const rounds = async (user: string): Promise<{ own: Decision[]; others: Decision[] }> => {
    const own: Decision[] = []
    const others: Decision[] = []
    for (let i = 0; i < 12; i++) {
      own.push(await ask(user))
      const [first, mine, last] = await Promise.all([ask(`a${i}`), ask(user), ask(`b${i}`)])
      own.push(mine)
      others.push(first, last)
    }
    return { own, others }
  }
  return { prefix, limiter, warnings, errors, rounds }
}

const text = (length: number): Buffer => Buffer.alloc(length, 'a')
const doubles = (length: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8 * length)
  for (let at = 0; at < length; at++) bytes.writeDoubleBE(value, 8 * at)
  return bytes
}

it.each([
  ['a short text', bucket, text(1)],
  ['a text as long as a counter', bucket, text(32)],
  ['a longer text', bucket, text(40)],
  ['infinite numbers', bucket, doubles(5, Infinity)],
  ['numbers too large', bucket, doubles(4, 1e17)],
  ['no numbers', { ...bucket, algorithm: 'fixed-window' } as const, doubles(3, NaN)],
  ['a window too large', { ...bucket, algorithm: 'fixed-window' } as const, doubles(3, 1e17)],
  ['what a newer version writes', bucket, doubles(6, 1)],
])('a counter that holds %s degrades its own client alone, and is named', async (_, policy, value) => {
  const { prefix, warnings, errors, rounds } = scene(policy)
  const code = 'algorithm' in policy ? 'f' : 't'
  await client.set(`${prefix}{user:eve}:p:${code}`, value)
  const { own, others } = await rounds('eve')
  expect(others.every(({ allowed, degraded }) => allowed && degraded === false)).toBe(true)
  expect(own.every(({ degraded }) => degraded === 'closed')).toBe(true)
  expect(errors).toHaveLength(own.length)
  for (const error of errors)
    expect(error).toMatchObject({
      code: 'HALT_E_STORE_SCRIPT',
      counter: `user:eve p:${code}`,
      message: expect.stringContaining('user:eve'),
    })
  expect(warnings.map(({ code: given }) => given)).toEqual(['HALT_W_STORE_SCRIPT'])
  expect(warnings[0]?.message).toContain(`user:eve p:${code}`)
})

it('a client whose counter cannot be read is counted again after a reset', async () => {
  const { prefix, limiter, rounds } = scene(bucket)
  await client.set(`${prefix}{user:eve}:p:t`, text(1))
  await rounds('eve')
  await client.del(`${prefix}{user:eve}:p:t`)
  expect(await limiter.consume({ user: 'eve' })).toMatchObject({
    allowed: true,
    degraded: false,
    remaining: 99,
  })
})

it('a key of another type is overwritten, and disturbs nobody', async () => {
  const { prefix, errors, rounds } = scene(bucket)
  await client.hset(`${prefix}{user:eve}:p:t`, 'a', 'b')
  const { own, others } = await rounds('eve')
  expect([...own, ...others].every(({ allowed, degraded }) => allowed && degraded === false)).toBe(true)
  expect(errors).toEqual([])
})

it.each([
  ['a bucket', bucket],
  ['a bucket of one tenant', { ...bucket, keyStrategy: 'shared', fair: { by: 'user' } } as unknown as Policy],
  ['a window', { ...bucket, algorithm: 'fixed-window' } as const],
])(
  'a paused client without blockDuration is refused until its end, and disturbs nobody: %s',
  async (_, policy) => {
    const isShared = 'fair' in policy
    const { limiter, errors, rounds } = scene(policy)
    await limiter.pause({ user: 'eve' }, { for: '1h' })
    const { own, others } = await rounds('eve')
    for (const decision of isShared ? [...own, ...others] : own)
      expect(decision).toMatchObject({ allowed: false, degraded: false, remaining: 0 })
    for (const { retryAfter } of own) expect(retryAfter).toBeGreaterThan(3500)
    if (!isShared) expect(others.every(({ allowed, degraded }) => allowed && degraded === false)).toBe(true)
    expect(errors).toEqual([])
  },
)

it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
  'settlements and refunds reach a counter in a cool-down of another plan, and end nothing of it: %s',
  async algorithm => {
    const clock = new ManualClock()
    const own = { ...bucket, limit: 10, window: '10d', algorithm } as const
    const store = new RedisStore({ client, prefix: `${unique()}:`, connection: 'shared', clock: clock.now })
    const [api, other] = [own, { ...own, blockDuration: '1h' } as const].map(
      policy =>
        new RateLimiter({ store, policy, onStoreError: 'closed', storeTimeout: '10s', warn: () => {} }),
    ) as [RateLimiter, RateLimiter]
    const eve = { user: 'eve' }
    const [more, less] = [await api.consume(eve), await api.consume(eve, { cost: 6 })]
    await other.consume(eve, { cost: 3 })
    expect((await other.consume(eve)).reason).toBe('limited')
    await api.settle(more, 3)
    await api.settle(less, 0)
    expect(await api.consume(eve)).toMatchObject({ allowed: false, degraded: false, retryAfter: 3600 })
    // Three of the one call, three of the other plan, and the present one.
    clock.advance('1h')
    expect(await api.consume(eve)).toMatchObject({ allowed: true, degraded: false, remaining: 3 })
  },
)
