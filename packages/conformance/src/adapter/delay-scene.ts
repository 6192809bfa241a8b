import type { RateLimiter, RatePolicy } from '@halt/core'
import type { Store } from '@halt/core/store'

import type { Bench } from './bench.ts'
import type { Client } from './client.ts'
import type { SuiteOptions } from './contract.ts'

/** A bucket of one unit that comes back after 40 ms of the test's clock. */
export const BUCKET: RatePolicy = { name: 'p', limit: 25, window: 1, burst: 1 }
/** The time of one unit. */
export const TURN = '40ms'
/** Longer than a request is held, so that one that starts too early would be seen. Milliseconds. */
export const A_WHILE = 100

// The clock of the store decides when a request starts, and the test moves it. So a busy machine changes no result.

// The questions that the store of a test has not answered.
const open = new WeakMap<Bench, number>()

/** Makes the limiters of a test on its store, which tells them the clock of the test. */
export function limiterOn(bench: Bench): Bench['limiter'] {
  const { store, clock } = bench
  const count = (by: number): unknown => open.set(bench, (open.get(bench) ?? 0) + by)
  const telling: Store = {
    evaluate(group) {
      const answer = store.evaluate(group)
      if (!('then' in answer)) return answer
      count(1)
      return answer.finally(() => count(-1))
    },
    forget: counters => store.forget(counters),
    clock: clock.now,
  }
  return (policy, options) => bench.limiter(policy, { store: telling, ...options })
}

/** A server behind one guard that holds requests. */
export interface Scene {
  readonly client: Client
  /** Waits until that many requests stand in line, and until a store that answers later has answered. */
  readonly inLine: (count: number) => Promise<void>
}

/** Serves the fixed API behind a guard. */
export async function serve(
  bench: Bench,
  options: SuiteOptions,
  setup: Parameters<Bench['serve']>[1] = {},
): Promise<Scene> {
  const client = await bench.serve([options], setup)
  return {
    client,
    // A clock that moves while an answer is on its way would leave open when the store gave that answer.
    inLine: count =>
      bench.eventually(
        `${count} requests in line`,
        () => options.limiter.waiting === count && !open.get(bench),
      ),
  }
}

/** The milliseconds after which the suite's client could start. */
export async function waitOf(limiter: RateLimiter): Promise<number> {
  return (await limiter.peek({ ip: '127.0.0.1' })).retryAfterMs
}
