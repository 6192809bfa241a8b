// Tests the differences that the guides in docs/migrate name, on both sides.
import fastifyRateLimit from '@fastify/rate-limit'
import { type Policy, RateLimiter } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { halt } from '@halt/fastify'
import { InMemoryStore } from '@halt/store-memory'
import { ThrottlerStorageService } from '@nestjs/throttler'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { BurstyRateLimiter, RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

const START = Date.UTC(2026, 10, 24)
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: START }))
afterEach(() => void vi.useRealTimers())

/** Whether one client is admitted, at each of these seconds. */
type Ask = (seconds: readonly number[]) => Promise<boolean[]>

/** A client of Halt, with a manual clock. */
function ofHalt(policy: Policy): Ask {
  return async seconds => {
    const clock = new ManualClock(START)
    const limiter = new RateLimiter({ store: new InMemoryStore({ clock: clock.now }), policy })
    const found: boolean[] = []
    for (const [i, second] of seconds.entries()) {
      clock.advance(second - (seconds[i - 1] ?? 0))
      found.push((await limiter.consume('client')).allowed)
    }
    return found
  }
}

describe('@nestjs/throttler', () => {
  /** A client of the throttler's memory storage. */
  function ofThrottler(limit: number, ttl: number, block = ttl): Ask {
    return async seconds => {
      const storage = new ThrottlerStorageService()
      const found: boolean[] = []
      for (const [i, second] of seconds.entries()) {
        await vi.advanceTimersByTimeAsync((second - (seconds[i - 1] ?? 0)) * 1000)
        const { isBlocked } = await storage.increment('client', ttl * 1000, limit, block * 1000, 'api')
        found.push(!isBlocked)
      }
      storage.onApplicationShutdown()
      return found
    }
  }

  const limit = { name: 'api', limit: 2, window: 10 }

  it('@nestjs/throttler admits a client after a short blockDuration, and Halt when the window ends', async () => {
    const seconds = [0, 0, 0, 5.1, 10.1]
    const fixed: Policy = { ...limit, algorithm: 'fixed-window', blockDuration: 5 }
    expect(await ofThrottler(2, 10, 5)(seconds)).toEqual([true, true, false, true, true])
    expect(await ofHalt(fixed)(seconds)).toEqual([true, true, false, false, true])
    // By then a bucket has a unit again.
    expect(await ofHalt({ ...limit, blockDuration: 5 })(seconds)).toEqual([true, true, false, true, true])
  })

  it('@nestjs/throttler admits a refused client after the ttl, and sliding-window up to a tenth later', async () => {
    const seconds = [0, 0.5, 0.6, 10.7]
    expect(await ofThrottler(2, 10)(seconds)).toEqual([true, true, false, true])
    expect(await ofHalt({ ...limit, algorithm: 'fixed-window' })(seconds)).toEqual([true, true, false, true])
    const sliding: Policy = { ...limit, algorithm: 'sliding-window' }
    expect(await ofHalt(sliding)(seconds)).toEqual([true, true, false, false])
    expect(await ofHalt(sliding)([0, 0.5, 0.6, 11])).toEqual([true, true, false, true])
    expect(await ofHalt({ ...sliding, precision: 1000 })(seconds)).toEqual([true, true, false, true])
  })
})

describe('@fastify/rate-limit', () => {
  function makeApp(): FastifyInstance {
    const app = Fastify()
    onTestFinished(() => app.close())
    return app
  }

  /** The statuses of requests of the given users, one after another. */
  async function statuses(app: FastifyInstance, url: string, users: readonly string[]): Promise<number[]> {
    const found: number[] = []
    for (const user of users) found.push((await app.inject({ url, headers: { 'x-user': user } })).statusCode)
    return found
  }

  const userOf = (request: object): string | undefined => (request as { user?: { id: string } }).user?.id
  const authenticate = async (request: FastifyRequest): Promise<void> =>
    void Object.assign(request, { user: { id: request.headers['x-user'] } })
  const policy: Policy = { name: 'api', limit: 1, window: 60, algorithm: 'fixed-window', keyStrategy: 'user' }
  const users = ['ann', 'ben', 'ann']

  it('@fastify/rate-limit counts after all preHandler hooks of the instance', async () => {
    const app = makeApp()
    await app.register(fastifyRateLimit, {
      max: 1,
      timeWindow: 60_000,
      hook: 'preHandler',
      keyGenerator: request => userOf(request) ?? 'nobody',
    })
    app.addHook('preHandler', authenticate)
    app.get('/', async () => 'hello')
    expect(await statuses(app, '/', users)).toEqual([200, 200, 429])
  })

  it.each([
    ['Halt counts the address, when the hook that finds the user comes later', false, [200, 429, 429]],
    ['Halt counts the user, when it is registered after that hook', true, [200, 200, 429]],
  ])('%s', async (_what, first, expected) => {
    const app = makeApp()
    if (first) app.addHook('preHandler', authenticate)
    await app.register(halt, { policy, hook: 'preHandler', exemptPrivateIps: false, warn: () => {} })
    if (!first) app.addHook('preHandler', authenticate)
    app.get('/', async () => 'hello')
    expect(await statuses(app, '/', users)).toEqual(expected)
  })

  const five = Array.from({ length: 5 }, () => 'ann')
  const missing = { name: 'missing', limit: 4, window: 60, algorithm: 'fixed-window' } as const
  const all = { name: 'all', limit: 2, window: 60, algorithm: 'fixed-window' } as const

  it('@fastify/rate-limit replaces the global limit by that of a not-found handler', async () => {
    const app = makeApp()
    await app.register(fastifyRateLimit, { max: 2, timeWindow: 60_000 })
    app.setNotFoundHandler({ preHandler: app.rateLimit({ max: 4 }) }, (_request, reply) =>
      reply.code(404).send(),
    )
    expect(await statuses(app, '/none', five)).toEqual([404, 404, 404, 404, 429])
  })

  it.each([
    ['Halt counts a request without a route in both limits', {}, [404, 404, 429, 429, 429]],
    [
      'Halt counts a request without a route in one limit, when the global one skips it',
      { skip: (request: FastifyRequest) => request.is404 },
      [404, 404, 404, 404, 429],
    ],
  ])('%s', async (_what, options, expected) => {
    const app = makeApp()
    await app.register(halt, { policy: all, exemptPrivateIps: false, ...options })
    const preHandler = app.halt({ policy: missing, skip: () => false })
    app.setNotFoundHandler({ preHandler }, (_request, reply) => reply.code(404).send())
    expect(await statuses(app, '/none', five)).toEqual(expected)
  })
})

describe('rate-limiter-flexible', () => {
  const rejected = async (call: Promise<RateLimiterRes>): Promise<RateLimiterRes> =>
    call.then(
      () => Promise.reject(new Error('It was let in.')),
      (error: unknown) => error as RateLimiterRes,
    )

  it('rate-limiter-flexible starts a block for a call above the limit, and Halt only refuses the call', async () => {
    const theirs = new RateLimiterMemory({ points: 5, duration: 60, blockDuration: 300 })
    await rejected(theirs.consume('client', 50))
    expect((await rejected(theirs.consume('client', 1))).msBeforeNext).toBeGreaterThan(299_000)

    const policy: Policy = {
      name: 'api',
      limit: 5,
      window: 60,
      algorithm: 'fixed-window',
      blockDuration: 300,
    }
    const limiter = new RateLimiter({ store: new InMemoryStore({ clock: Date.now }), policy })
    const large = await limiter.consume('client', { cost: 50 })
    expect([large.reason, large.retryAfter]).toEqual(['cost-exceeds-limit', Number.POSITIVE_INFINITY])
    expect((await limiter.consume('client')).allowed).toBe(true)
  })

  it('rate-limiter-flexible reports the consumed points, which are the capacity less remaining in Halt', async () => {
    const bursty = new BurstyRateLimiter(
      new RateLimiterMemory({ points: 2, duration: 1 }),
      new RateLimiterMemory({ keyPrefix: 'burst', points: 5, duration: 10 }),
    )
    const told = [
      await bursty.consume('client'),
      await bursty.consume('client'),
      await bursty.consume('client'),
    ]
    expect(told.map(({ consumedPoints }) => consumedPoints)).toEqual([1, 2, 3])

    const policy = { name: 'api', limit: 2, window: 1, burst: 7 }
    const limiter = new RateLimiter({ store: new InMemoryStore({ clock: () => START }), policy })
    const left: number[] = []
    for (let i = 0; i < 3; i++) left.push((await limiter.consume('client')).remaining)
    expect(left.map(remaining => policy.limit - remaining)).toEqual([-4, -3, -2])
    expect(left.map(remaining => policy.burst - remaining)).toEqual([1, 2, 3])
  })
})
