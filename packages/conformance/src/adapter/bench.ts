import { type HaltWarning, RateLimiter, type RateLimiterOptions, type RatePolicy } from '@halt/core'
import type { Store } from '@halt/core/store'
import { ManualClock } from '@halt/core/testing'

import { Client } from './client.ts'
import type { AdapterUnderTest, Mount, Setup, StoreUnderTest, SuiteOptions } from './contract.ts'

/** The longest wait for a condition, in milliseconds. On an idle machine each of them holds within a tenth of a second. */
const PATIENCE = 30_000

/** Makes a policy whose numbers are easy to predict: a fixed window of a minute, named `p`. */
export function limitOf(limit: number, more: Partial<RatePolicy> = {}): RatePolicy {
  return { name: 'p', limit, window: 60, algorithm: 'fixed-window', ...more }
}

/** The equipment of one test: an empty store on a clock of its own, limiters on it, and servers. */
export class Bench {
  readonly clock: ManualClock = new ManualClock()
  readonly store: Store
  /** The codes of the limiters' warnings, in order. */
  readonly warned: string[] = []
  readonly #adapter: AdapterUnderTest
  readonly #open: Client[] = []

  private constructor(adapter: AdapterUnderTest, store: Store, clock: ManualClock) {
    this.#adapter = adapter
    this.store = store
    this.clock = clock
  }

  /** Runs a test, and closes its servers and its store. */
  static async run(
    adapter: AdapterUnderTest,
    { make }: StoreUnderTest,
    test: (bench: Bench) => Promise<void>,
  ): Promise<void> {
    const clock = new ManualClock()
    const bench = new Bench(adapter, await make(clock), clock)
    try {
      await test(bench)
    } finally {
      await Promise.all(bench.#open.map(opened => opened.close()))
      await bench.store.close?.()
    }
  }

  /** Makes a limiter on the test's store. It counts local addresses, too. */
  limiter(policy: RateLimiterOptions['policy'], options: Partial<RateLimiterOptions> = {}): RateLimiter {
    const warn = ({ code }: HaltWarning): void => void this.warned.push(code)
    // A long storeTimeout, because a busy machine is not a failure of the store.
    return new RateLimiter({
      store: this.store,
      policy,
      exemptPrivateIps: false,
      storeTimeout: '5s',
      warn,
      ...options,
    })
  }

  /** Serves the fixed API behind guards. Options without a mount guard all routes. */
  async serve(guards: readonly (Mount | SuiteOptions)[], setup: Partial<Setup> = {}): Promise<Client> {
    const client = new Client(this.#adapter, {
      handle: () => ({ status: 200, body: 'ok' }),
      headers: {},
      early: false,
      http2: false,
      ...setup,
      guards: guards.map(guard => ('options' in guard ? guard : { options: guard })),
    })
    this.#open.push(client)
    await client.open()
    return client
  }

  /**
   * Waits until a condition that depends on I/O holds. Throws the error of a request that failed, because a test that waits for
   * the effect of a request may await its response only later. Gives up after half a minute.
   */
  async eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE
    while (!(await holds())) {
      for (const { failure } of this.#open) if (failure !== undefined) throw failure
      if (performance.now() > end) throw new Error(`Waited in vain: ${what}`)
      await pause(5)
    }
  }

  /** The remaining units of a policy for the suite's client. */
  async left(limiter: RateLimiter, policy = 'p'): Promise<number> {
    const { verdicts } = await limiter.peek({ ip: '127.0.0.1' })
    return verdicts.find(verdict => verdict.policy === policy)?.remaining ?? Number.NaN
  }
}

/** Waits. For events that nothing reports, such as a server noticing that its client has gone. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => void setTimeout(resolve, ms))
}

/** A promise, and the function that resolves it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const passed = new Promise<void>(resolve => (open = resolve))
  return { passed, open }
}
