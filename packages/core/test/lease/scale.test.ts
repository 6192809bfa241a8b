// The calls that a busy counter gets grow with the processes, not with their load: docs/leases.md, "Beyond one Redis".
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { RateLimiter, RatePolicy } from '../../src/index.ts'
import { processes, taken } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const lease = { share: 0.02, idle: '500ms' } as const
const hour: RatePolicy = { name: 'hour', limit: 10_000_000, window: '1h', algorithm: 'fixed-window', lease }
const minute: RatePolicy = { name: 'minute', limit: 6_000_000, window: '1m', lease }
const WARM_MS = 500
const MS = 2000

/** The calls per second that take units while each process asks so many times in a millisecond, and whether all were admitted. */
async function play(
  policy: RatePolicy,
  count: number,
  each: number,
): Promise<{ calls: number; admits: boolean }> {
  const { limiters, groups, pass } = processes(count, policy, { delay: () => 1 })
  let admits = true
  const ask = async (limiter: RateLimiter): Promise<void> => {
    const { allowed } = await limiter.consume('s')
    admits &&= allowed
  }
  let before = 0
  for (let ms = 0; ms < WARM_MS + MS; ms++) {
    if (ms === WARM_MS) before = taken(groups).takes
    for (const limiter of limiters) for (let i = 0; i < each; i++) void ask(limiter)
    await pass(1)
  }
  return { calls: ((taken(groups).takes - before) * 1000) / MS, admits }
}

/** Simulating a hundred processes takes seconds of a processor. */
const LARGE = [
  ['a window of a hundred processes', hour, 100, 1, 400],
  // Half of it by the share, which a hundred processes have less of: 150 ms.
  ['a bucket of a hundred processes', minute, 100, 1, 1333],
] as const

it.each([
  // Twice the processes per half a second, for which each of these holds units.
  ['a window', hour, 10, 1, 40],
  ['a window that is asked for four times as often', hour, 10, 4, 40],
  ['a window of twenty processes', hour, 20, 1, 80],
  ['a bucket', minute, 10, 1, 40],
  // More than 25 processes have a share of less than 0.02 each: 375 ms.
  ['a bucket of forty processes', minute, 40, 1, 213],
  ...(isFull ? LARGE : []),
] as const)('%s gets about as many calls as the page says', async (_what, policy, count, each, due) => {
  const { calls, admits } = await play(policy, count, each)
  expect(admits).toBe(true)
  expect(calls).toBeGreaterThan(due / 2)
  expect(calls).toBeLessThan(due * 2)
})
