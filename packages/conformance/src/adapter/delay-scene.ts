import type { RateLimiter, RatePolicy } from '@halt/core'
import type { Store } from '@halt/core/store'

import { type Bench, pause } from './bench.ts'
import type { Client } from './client.ts'
import type { SuiteOptions } from './contract.ts'

/** A bucket of one unit that comes back after 40 ms of the test's clock. */
export const BUCKET: RatePolicy = { name: 'p', limit: 25, window: 1, burst: 1 }
/** The time of one unit. */
export const TURN = '40ms'
/** Longer than a request is held, so that one that starts too early would be seen. Milliseconds. */
export const A_WHILE = 100

// The clock of the store decides when a request starts, and the test moves it. So a busy machine changes no result.

// How many calls of a test's store have no answer yet.
const unanswered = new WeakMap<Bench, number>()

/** Makes the limiters of a test on its store, which tells them the clock of the test. */
export function limiterOn(bench: Bench): Bench['limiter'] {
  const { store, clock } = bench
  const count = (change: number): void => void unanswered.set(bench, (unanswered.get(bench) ?? 0) + change)
  const telling: Store = {
    evaluate: group => {
      count(1)
      const answer = store.evaluate(group)
      if ('then' in answer) return answer.finally(() => count(-1))
      count(-1)
      return answer
    },
    forget: counters => store.forget(counters),
    clock: clock.now,
  }
  return (policy, options) => bench.limiter(policy, { store: telling, ...options })
}

/** A server behind one guard that holds requests. */
export interface Scene {
  readonly client: Client
  /** Waits until the guard has seen that many requests, and the store has answered about them. */
  readonly seen: (count: number) => Promise<void>
}

/** Serves the fixed API behind a guard, and counts the requests that reach the guard. */
export async function serve(
  bench: Bench,
  options: SuiteOptions,
  setup: Parameters<Bench['serve']>[1] = {},
): Promise<Scene> {
  let entered = 0
  const skip = (): boolean => {
    entered++
    return false
  }
  const client = await bench.serve([{ ...options, skip }], setup)
  return {
    client,
    seen: async count => {
      await bench.eventually(`request ${count} at the guard`, () => entered === count)
      await pause(5)
      // A caller whose answer comes after the clock has moved waits as much longer, because it cannot know when it was decided.
      await bench.eventually('the answers of the store', () => (unanswered.get(bench) ?? 0) === 0)
      await pause(20)
    },
  }
}

/** The milliseconds after which the suite's client could start. */
export async function waitOf(limiter: RateLimiter): Promise<number> {
  return (await limiter.peek({ ip: '127.0.0.1' })).retryAfterMs
}
