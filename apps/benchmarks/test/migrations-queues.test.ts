// Tests the differences that the guides from queues name, on both sides, on a clock that the test moves.
import { type Policy, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import Bottleneck from 'bottleneck'
import { RateLimiter as Limiter, TokenBucket } from 'limiter'
import PQueue from 'p-queue'
import pThrottle from 'p-throttle'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const START = Date.UTC(2026, 10, 28)
beforeEach(() => void vi.useFakeTimers({ now: START }))
afterEach(() => void vi.useRealTimers())

type Run = (work: () => Promise<unknown>) => Promise<unknown>

/** When each of `count` calls starts that are made at once, in milliseconds. */
async function starts(run: Run, count: number): Promise<number[]> {
  const found: number[] = []
  const asked = Date.now()
  const calls = Array.from({ length: count }, () => run(async () => found.push(Date.now() - asked)))
  await vi.advanceTimersByTimeAsync(count * 1000)
  await Promise.all(calls)
  return found
}

/** The message of the error with which a job ends. It is asked for before the clock moves. */
function messageOf(job: Promise<unknown>): Promise<string> {
  return job.then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  )
}

function limiterOf(policy: Policy | readonly Policy[]): RateLimiter {
  return new RateLimiter({
    store: new InMemoryStore({ clock: () => Date.now() }),
    policy,
    warn: () => {},
  })
}

function ofHalt(policy: Policy): Run {
  const limiter = limiterOf(policy)
  return work => limiter.run('calls', work, { maxWait: '1h' })
}

const three = { name: 'calls', limit: 3, window: 1 } as const
const IN_WINDOWS = [0, 0, 0, 1000, 1000, 1000, 2000]

describe('a pace of 3 per second', () => {
  it('p-throttle, p-queue and Halt with fixed-window keep a pace of 3 per second in windows', async () => {
    const throttle = pThrottle({ limit: 3, interval: 1000 })
    expect(await starts(throttle(work => work()) as Run, 7)).toEqual(IN_WINDOWS)
    const queue = new PQueue({ interval: 1000, intervalCap: 3 })
    expect(await starts(work => queue.add(work), 7)).toEqual(IN_WINDOWS)
    expect(await starts(ofHalt({ ...three, algorithm: 'fixed-window' }), 7)).toEqual(IN_WINDOWS)
  })

  it('Halt keeps a pace over every second by sliding-window, evenly by burst 1, and not at first without it', async () => {
    const sliding: Policy = { ...three, algorithm: 'sliding-window', precision: 1000 }
    expect(await starts(ofHalt(sliding), 7)).toEqual([0, 0, 0, 1001, 1001, 1001, 2002])
    expect(await starts(ofHalt({ ...three, burst: 1 }), 7)).toEqual([0, 334, 667, 1000, 1334, 1667, 2000])
    expect(await starts(ofHalt(three), 7)).toEqual([0, 0, 0, 334, 667, 1000, 1334])
    const ten = await starts(ofHalt({ name: 'calls', limit: 10, window: 1 }), 25)
    expect(ten.filter(at => at < 1000)).toHaveLength(19)
  })

  it('a reservoir of bottleneck doubles a pace of 3 per second at its edge', async () => {
    const limiter = new Bottleneck({
      reservoir: 3,
      reservoirRefreshAmount: 3,
      reservoirRefreshInterval: 1000,
    })
    await vi.advanceTimersByTimeAsync(900)
    const found = await starts(work => limiter.schedule(work), 7)
    expect(found.filter(at => at < 110)).toHaveLength(6)
    const ended = limiter.disconnect()
    await vi.advanceTimersByTimeAsync(10)
    await ended
  })
})

describe('a line', () => {
  it('bottleneck with minTime alone does not order a line by priority', async () => {
    const limiter = new Bottleneck({ minTime: 100, highWater: 1, strategy: Bottleneck.strategy.OVERFLOW })
    const found: string[] = []
    const jobs = [5, 5, 0].map((priority, i) =>
      limiter.schedule({ priority }, async () => found.push(`${i}: ${priority}`)),
    )
    await vi.advanceTimersByTimeAsync(1000)
    await Promise.all(jobs)
    expect(found).toEqual(['0: 5', '1: 5', '2: 0'])
  })

  it('tryRemoveTokens of limiter overtakes a line, and consume of Halt does not', async () => {
    const theirs = new Limiter({ tokensPerInterval: 3, interval: 'second' })
    await theirs.removeTokens(3)
    const waiting = theirs.removeTokens(3)
    const next = theirs.removeTokens(2)
    await vi.advanceTimersByTimeAsync(1000)
    await waiting
    await vi.advanceTimersByTimeAsync(1000)
    expect(theirs.tryRemoveTokens(1)).toBe(true)
    await vi.advanceTimersByTimeAsync(2000)
    await next

    const ours = limiterOf({ ...three, limit: 4 })
    await ours.consume('calls', { cost: 4 })
    const turn = ours.acquire('calls', { cost: 4, maxWait: '1h' })
    await vi.advanceTimersByTimeAsync(500)
    // Two units have come back, and they belong to the one who waits.
    expect((await ours.consume('calls')).allowed).toBe(false)
    await vi.advanceTimersByTimeAsync(1000)
    expect((await turn).allowed).toBe(true)
  })

  it('acquire of Halt refuses a wait beyond maxWait at once', async () => {
    const limiter = limiterOf({ name: 'calls', limit: 1, window: 10 })
    await limiter.acquire('calls')
    const refused = await limiter.acquire('calls', { maxWait: '5s' })
    expect([refused.allowed, refused.retryAfter]).toEqual([false, 10])
  })
})

describe('a call above the limit', () => {
  it('bottleneck, p-throttle and limiter throw for a call above the limit, and Halt refuses it with a reason', async () => {
    const weighed = new Bottleneck({ maxConcurrent: 2 })
    const heavy = weighed.schedule({ weight: 3 }, async () => 1)
    const failed = messageOf(heavy)
    await vi.advanceTimersByTimeAsync(10)
    expect(await failed).toContain('Impossible to add a job')
    const throttled = pThrottle({ limit: 3, interval: 1000, weight: (n: number) => n })((n: number) => n)
    await expect(throttled(4)).rejects.toThrow('to be <= `limit`')
    const limiter = new Limiter({ tokensPerInterval: 3, interval: 'second' })
    await expect(limiter.removeTokens(4)).rejects.toThrow(RangeError)
    expect(limiter.tryRemoveTokens(4)).toBe(false)

    const refused = await limiterOf(three).acquire('calls', { cost: 4 })
    expect([refused.reason, refused.retryAfter]).toEqual(['cost-exceeds-limit', Number.POSITIVE_INFINITY])
  })
})

describe('a counter', () => {
  it('a TokenBucket of limiter starts empty, and a counter of Halt starts full', async () => {
    expect(
      new TokenBucket({ bucketSize: 3, tokensPerInterval: 3, interval: 'second' }).tryRemoveTokens(1),
    ).toBe(false)
    expect((await limiterOf(three).consume('calls')).remaining).toBe(2)
  })
})

it('a job that outlives its expiration runs on in bottleneck', async () => {
  const limiter = new Bottleneck({ maxConcurrent: 1 })
  let hasEnded = false
  const job = limiter.schedule({ expiration: 100 }, async () => {
    await new Promise(resolve => setTimeout(resolve, 500))
    hasEnded = true
  })
  const failed = messageOf(job)
  await vi.advanceTimersByTimeAsync(200)
  expect(await failed).toContain('timed out after 100 ms')
  expect(hasEnded).toBe(false)
  await vi.advanceTimersByTimeAsync(500)
  expect(hasEnded).toBe(true)
})
