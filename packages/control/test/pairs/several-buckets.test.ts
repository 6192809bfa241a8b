// Callers that wait under policies of different speed, as 10 per second and 60 per minute, while something changes under them. README.md
// lists the pairs.
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'

import { type Decision, type RateLimiter, type RatePolicy } from '@halt/core'
import { type PassingWorld, passingWorld } from '../../../core/test/waiting/passing-world.ts'
import type { World } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

const ANN = { user: 'ann' } as const
const SECOND: RatePolicy = { name: 'second', limit: 10, window: '1s', keyStrategy: 'user' }
const MINUTE: RatePolicy = { name: 'minute', limit: 60, window: '1m', keyStrategy: 'user' }
const BOTH: readonly RatePolicy[] = [SECOND, MINUTE]

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const left = async (limiter: RateLimiter): Promise<number[]> =>
  (await limiter.peek(ANN)).verdicts.map(({ remaining }) => remaining)

/** Lets so many callers ask at once. */
function ask(own: PassingWorld, limiter: RateLimiter, count: number): Promise<void>[] {
  return Array.from({ length: count }, (_, i) => own.acquire(limiter, ANN, i, { maxWait: '1h' }))
}

/** Spends the slow bucket, so that callers wait for it and not for the fast one. Returns what was charged. */
async function spend(own: World, limiter: RateLimiter): Promise<Decision[]> {
  const used: Decision[] = []
  for (;;) {
    const decision = await limiter.consume(ANN)
    if (decision.allowed) used.push(decision)
    else if (decision.policy === 'minute') return used
    else own.clock.advance(1)
  }
}

const namesOf = (own: PassingWorld): (number | string)[] => own.starts.map(({ name }) => name)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

it('an operator changes one of two buckets of callers that wait, who all start in order', async () => {
  const own = passingWorld()
  vi.setSystemTime(own.clock.now())
  const control = new Control({ store: own.store, warn: () => undefined })
  onTestFinished(() => control.close())
  const limiter = own.limiter([...BOTH], { control })
  await spend(own, limiter)
  const turns = ask(own, limiter, 8)
  await own.pass(1_500)
  await control.change('minute', { limit: 600, burst: 60 })
  await own.pass(3_000)
  await Promise.all(turns)
  expect(namesOf(own)).toEqual(upTo(8))
  // One a second before, ten a second after.
  expect(own.starts.filter(({ at }) => at <= 1_500).length).toBeLessThanOrEqual(2)
  await control.block(ANN, { for: '1h' })
  expect(await limiter.consume(ANN)).toMatchObject({ allowed: false, reason: 'blocked' })
})

it('callers wait for the bucket that refuses, and not for a slower one in shadow mode, which counts those it would pass', async () => {
  const own = passingWorld()
  const limiter = own.limiter([SECOND, { ...MINUTE, limit: 12, mode: 'shadow' }])
  const turns = ask(own, limiter, 20)
  await own.pass(1_100)
  await Promise.all(turns)
  expect(namesOf(own)).toEqual(upTo(20))
  expect(own.starts.at(-1)!.at).toBeLessThanOrEqual(1_010)
  expect((await left(limiter))[1]).toBe(0)
})

it('settlements reach both of two buckets by their own numbers, and callers that wait start in order', async () => {
  const own = passingWorld()
  const limiter = own.limiter([...BOTH])
  const used = await spend(own, limiter)
  const before = await left(limiter)
  await limiter.settle(used[0]!, { second: 0, minute: 1 })
  expect((await left(limiter))[1]).toBe(before[1])
  const turns = ask(own, limiter, 10)
  await own.pass(50)
  for (const decision of used.slice(1, 9)) await limiter.settle(decision, 0)
  await own.pass(12_000)
  await Promise.all(turns)
  expect(namesOf(own)).toEqual(upTo(10))
  const instants = own.starts.map(({ at }) => at)
  expect(new Set(instants).size).toBe(10)
  await own.pass(60_000)
  expect(await left(limiter)).toEqual([10, 60])
})

it('callers of two buckets that a resolver makes faster or slower meanwhile all start in order, within the last numbers', async () => {
  const own = passingWorld()
  let policy: RatePolicy[] = [...BOTH]
  const limiter = own.limiter(() => policy)
  const acquire = (name: number): Promise<void> =>
    own.acquire(limiter, ANN, name, { maxWait: '1h', policy: [...policy] })
  await spend(own, own.limiter(policy))
  const turns = upTo(4).map(acquire)
  await own.pass(500)
  policy = [
    { ...SECOND, burst: 1 },
    { ...MINUTE, limit: 240, burst: 60 },
  ]
  turns.push(...[4, 5, 6, 7].map(acquire))
  await own.pass(4_000)
  await Promise.all(turns)
  expect(namesOf(own)).toEqual(upTo(8))
})

it('close() gives back what callers of two buckets hold in either line', async () => {
  const own = passingWorld()
  const limiter = own.limiter([
    { ...SECOND, burst: 1 },
    { ...MINUTE, burst: 4 },
  ])
  const turns = ask(own, limiter, 12)
  const ends = Promise.allSettled(turns)
  await own.pass(250)
  const started = own.starts.length
  await limiter.close()
  expect((await ends).filter(({ status }) => status === 'rejected')).toHaveLength(12 - started)
  // Only those who started were charged.
  await own.pass(1_000 * started)
  expect(
    await left(
      own.limiter([
        { ...SECOND, burst: 1 },
        { ...MINUTE, burst: 4 },
      ]),
    ),
  ).toEqual([1, 4])
})

it.each([
  ['both buckets', undefined, 0],
  ['the bucket per second', 'second', 0],
  // A caller may have passed its line before.
  ['the bucket per minute', 'minute', 1],
] as const)(
  'a pause of %s stops callers of two, who all start afterwards in order, one by one',
  async (_, paused, passed) => {
    const own = passingWorld()
    const both: RatePolicy[] = [
      { ...SECOND, burst: 1 },
      { ...MINUTE, limit: 300, burst: 3 },
    ]
    const limiter = own.limiter(both)
    const turns = ask(own, limiter, 8)
    await own.pass(250)
    const policy = both.find(({ name }) => name === paused)
    await limiter.pause(ANN, { for: '2s', policy })
    const at = own.now()
    const before = own.starts.length + passed
    await own.pass(1_999)
    expect(own.starts).toHaveLength(before)
    expect(await limiter.consume(ANN)).toMatchObject({ allowed: false })
    await own.pass(4_000)
    await Promise.all(turns)
    expect(namesOf(own)).toEqual(upTo(8))
    const late = own.starts.slice(before).map(start => start.at)
    expect(late[0]).toBeGreaterThanOrEqual(at + 2_000)
    for (const [i, instant] of late.slice(1).entries()) expect(instant - late[i]!).toBeGreaterThanOrEqual(99)
    await own.pass(5_000)
    expect(await left(limiter)).toEqual([1, 3])
  },
)
