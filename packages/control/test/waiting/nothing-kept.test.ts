// Callers that leave at any moment, of a store whose answers overtake each other: what was charged for them is given back.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Policy, Decision, RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'
import { otherProcess } from '../../../core/test/waiting/passing-world.ts'
import { endTime, newTime, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { type ControlledCore, loadControlled } from '../line/virtual-control.ts'

let core: ControlledCore
beforeAll(async () => void (core = await loadControlled()))
afterAll(unloadCore)

const user = { keyStrategy: 'user' } as const
const fair = { keyStrategy: 'shared', fair: { by: 'user' } } as const
const bucket = { name: 'bucket', limit: 20, window: 1, burst: 2 } as const
// They get nothing back by time.
const permits = { name: 'kept', algorithm: 'concurrency', limit: 3, ttl: '1h' } as const
const window = { name: 'kept', algorithm: 'fixed-window', limit: 500, window: '1h', ...user } as const
const POLICIES: Record<string, Policy[]> = {
  permits: [{ ...permits, ...user }],
  'a bucket and permits': [
    { ...bucket, ...user },
    { ...permits, ...user },
  ],
  'a bucket and a window': [{ ...bucket, ...user }, window],
  'a window and a bucket with permits': [window, { ...bucket, ...user, inFlight: 3 }],
  'fair permits': [{ ...permits, ...fair }],
  'a fair bucket and a window': [{ ...bucket, ...fair }, window],
}

interface Ask {
  readonly cost: number
  readonly user: number
  /** When it leaves after it asked, in milliseconds; undefined if it stays. */
  readonly leaves: number | undefined
  /** Milliseconds until the next one asks. */
  readonly gap: number
  /** How long its work takes, in milliseconds. */
  readonly works: number
  /** Which of two processes it asks. */
  readonly by: number
  /** What happens before it asks: an operator blocks its user for some milliseconds, or the store goes away, or comes back. */
  readonly before: 'blocks' | 'away' | 'back' | undefined
}

const asks: fc.Arbitrary<Ask[]> = fc.array(
  fc.record({
    cost: fc.constantFrom(1, 1, 2),
    user: fc.nat(1),
    leaves: fc.constantFrom(undefined, undefined, 0, 5, 12, 25, 60, 200),
    gap: fc.constantFrom(0, 0, 1, 10, 40),
    works: fc.constantFrom(0, 3, 30, 100),
    by: fc.nat(1),
    before: fc.constantFrom(undefined, undefined, undefined, undefined, 'blocks', 'away', 'back', 'back'),
  }),
  { minLength: 3, maxLength: 25, size: 'max' },
)
/** How long a question and its answer take, in milliseconds. */
const delays = fc.array(fc.constantFrom(0, 1, 5, 20, 50), { minLength: 1, maxLength: 7 })

async function keptAfter(
  policy: Policy[],
  callers: readonly Ask[],
  ways: readonly number[],
): Promise<number[]> {
  const time = newTime()
  try {
    const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
    const inner = new core.ReferenceStore(() => time.unixMs())
    let [calls, isAway] = [0, false]
    const way = (): Promise<void> | undefined => {
      const ms = ways[calls++ % ways.length]!
      return ms === 0 ? undefined : new Promise(resolve => void setTimeout(resolve, ms))
    }
    const store: Store = {
      clock: () => inner.clock?.(),
      evaluate: async group => {
        await way()
        if (isAway) throw Object.assign(new Error('away'), { unsent: true })
        const evaluation = inner.evaluate(group)
        await way()
        return evaluation
      },
      forget: counters => inner.forget(counters),
    }
    const warn = (): void => {}
    const control = new core.Control({ store: inner, warn })
    const options = {
      policy,
      control,
      warn,
      instances: 2,
      storeTimeout: '5s',
      onStoreError: 'closed',
    } as const
    const limiters = [
      new core.RateLimiter({ ...options, store }),
      new core.RateLimiter({ ...options, store: otherProcess(store) }),
    ]
    const work = async (limiter: RateLimiter, decision: Decision, ms: number): Promise<void> => {
      if (!decision.allowed) return
      if (ms > 0) await new Promise(resolve => void setTimeout(resolve, ms))
      await limiter.settle(decision, 0)
      await limiter.release(decision)
    }
    const running: Promise<unknown>[] = []
    for (const { cost, user, leaves, gap, works, by, before } of callers) {
      if (before === 'blocks') running.push(control.block({ user: String(user) }, { for: '30ms' }))
      if (before === 'away' || before === 'back') isAway = before === 'away'
      const limiter = limiters[by]!
      const leaving = new AbortController()
      const turn = limiter.acquire({ user: String(user) }, { cost, maxWait: 3, signal: leaving.signal })
      running.push(turn.then(decision => work(limiter, decision, works)).catch(() => {}))
      if (leaves !== undefined) setTimeout(() => leaving.abort(new Error('left')), leaves)
      await pass(gap)
    }
    isAway = false
    let isOver = false
    void Promise.all(running).then(() => (isOver = true))
    for (let i = 0; i < 200 && !isOver; i++) await pass(100)
    await pass(500)
    // What an outage held up is sent when the store has answered again.
    for (const limiter of limiters) void limiter.peek({ user: '0' })
    await pass(3000)
    const closed = Promise.all(limiters.map(async limiter => limiter.close()))
    await pass(500)
    await closed
    control.close()
    const look = new core.RateLimiter({ policy, store: inner, warn: () => {} })
    const found: number[] = []
    for (const user of ['0', '1']) {
      const { verdicts } = await look.peek({ user })
      for (const { limit, remaining, policy: name } of verdicts)
        if (name === 'kept') found.push(limit - remaining)
    }
    return found
  } finally {
    endTime()
  }
}

it.each(Object.entries(POLICIES))('nothing is kept of callers of %s', async (_, policy) => {
  await fc.assert(
    fc.asyncProperty(asks, delays, async (callers, ways) => {
      expect(new Set(await keptAfter(policy, callers, ways))).toEqual(new Set([0]))
    }),
    { numRuns: Number(process.env['RUNS'] ?? (isFull ? 300 : 15)) },
  )
})
