import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { RateLimiter, RatePolicy } from '../../src/index.ts'
import { otherProcess, passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** What a client of one of the processes does at an instant. */
interface Act {
  readonly process: number
  /** Milliseconds since the act before. */
  readonly after: number
  readonly cost: number
  /** A check takes a refusal, an acquire waits. */
  readonly waits: boolean
  readonly maxWait: number
  /** Milliseconds after which the caller gives up, if it still waits. */
  readonly givesUp: number | undefined
  /** Milliseconds for which the last policy is paused first. */
  readonly pauses: number | undefined
}

const acts = (givesUp: fc.Arbitrary<number | undefined>, mostCost: number): fc.Arbitrary<Act[]> =>
  fc.array(
    fc.record({
      process: fc.nat(2),
      after: fc.oneof(fc.constant(0), fc.nat(12), fc.nat(60)),
      cost: fc.integer({ min: 1, max: mostCost }),
      waits: fc.oneof(fc.constant(true), fc.boolean()),
      maxWait: fc.integer({ min: 1, max: 400 }),
      givesUp,
      pauses: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined, freq: 8 }),
    }),
    { minLength: 1, maxLength: 30, size: 'max' },
  )

// One unit takes 10 ms in the one, 30 ms in the other, so that every instant is a whole millisecond.
const fast = (burst: number): RatePolicy => ({ name: 'fast', limit: 100, window: 1, burst })
const slow = (burst: number): RatePolicy => ({ name: 'slow', limit: 100, window: 3, burst })

/** Plays acts in three processes that share a store. Returns the starts, and the refusals, in milliseconds. */
async function play(plan: readonly Act[], policies: readonly RatePolicy[], count = 3) {
  const { store, limiter, pass, now } = passingWorld()
  const process = (): RateLimiter =>
    limiter([...policies], {
      store: otherProcess(store),
    })
  const processes = Array.from({ length: count }, process)
  const starts: { act: Act; index: number; asked: number; at: number }[] = []
  const refused: number[] = []
  const calls: Promise<void>[] = []
  for (const [index, act] of plan.entries()) {
    await pass(act.after)
    const own = processes[act.process % count]!
    const last = policies.at(-1)
    if (act.pauses !== undefined && policies.length > 1 && last !== undefined)
      await own.pause('s', { for: `${act.pauses}ms`, policy: last })
    const [asked, signal] = [now(), new AbortController()]
    const call = act.waits
      ? own.acquire('s', { cost: act.cost, maxWait: `${act.maxWait}ms`, signal: signal.signal })
      : own.consume('s', { cost: act.cost })
    if (act.givesUp !== undefined) setTimeout(() => signal.abort(), act.givesUp)
    calls.push(
      call.then(
        ({ allowed }) => void (allowed ? starts.push({ act, index, asked, at: now() }) : refused.push(index)),
        () => undefined,
      ),
    )
    await vi.advanceTimersByTimeAsync(0)
  }
  await pass(800)
  await Promise.all(calls)
  return { starts, refused }
}

/** The most units that started beyond a policy in any window: the meter of a token bucket that counts starts at their instants. */
function excessOf({ limit, window, burst }: RatePolicy, starts: readonly { act: Act; at: number }[]): number {
  const unit = (Number(window) * 1000) / limit
  let [debt, last, most] = [0, 0, 0]
  for (const { act, at } of starts.toSorted((a, b) => a.at - b.at)) {
    debt = Math.max(0, debt - (at - last)) + act.cost * unit
    last = at
    most = Math.max(most, debt / unit - burst!)
  }
  return most
}

it('work of one process starts within the policy in every window, however callers ask, give up and check', async () => {
  const givesUp = fc.option(fc.nat(40), { nil: undefined, freq: 2 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), acts(givesUp, 1), async (burst, plan) => {
      const { starts } = await play(plan, [fast(burst)], 1)
      expect(excessOf(fast(burst), starts)).toBe(0)
    }),
    { numRuns: isFull ? 150 : 30 },
  )
})

it('work starts within the slowest of several policies in every window, and within the others by little more', async () => {
  const givesUp = fc.option(fc.nat(40), { nil: undefined, freq: 2 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: 6 }), acts(givesUp, 3), async (burst, plan) => {
      const most = burst + 4
      const { starts } = await play(plan, [fast(burst), slow(most)], 1)
      expect(excessOf(slow(most), starts)).toBe(0)
      // Callers whose turn in the fast line has passed start together when the slow one lets them, and pay again.
      expect(excessOf(fast(burst), starts)).toBeLessThanOrEqual(most)
    }),
    { numRuns: isFull ? 150 : 30 },
  )
})

it('callers start in the order in which they asked, each as early as those before it allow', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: 6 }), acts(fc.constant(undefined), 3), async (burst, plan) => {
      const { starts, refused } = await play(plan, [fast(burst)])
      let [debt, now] = [0, 0]
      const due: [index: number, at: number][] = []
      const turnedAway: number[] = []
      for (const [index, { after, cost, waits, maxWait }] of plan.entries()) {
        now += after
        debt = Math.max(0, debt - after)
        const wait = Math.max(0, debt + cost * 10 - burst * 10)
        if (wait <= (waits ? maxWait : 0)) {
          debt += cost * 10
          due.push([index, now + wait])
        } else turnedAway.push(index)
      }
      expect(starts.toSorted((a, b) => a.index - b.index).map(({ index, at }) => [index, at])).toEqual(due)
      expect(refused.toSorted((a, b) => a - b)).toEqual(turnedAway)
    }),
    { numRuns: isFull ? 150 : 30 },
  )
})
