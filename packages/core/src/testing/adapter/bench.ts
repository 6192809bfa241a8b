import type { HaltWarning } from '../../base/warnings.ts'
import { RateLimiter } from '../../limiter/rate-limiter.ts'
import type { RateLimiterOptions } from '../../limiter/options.ts'
import type { RatePolicy } from '../../policy/policy.ts'
import type { Store } from '../../store/contract.ts'
import { eventLoop } from '../../base/event-loop.ts'
import { ManualClock } from '../clock.ts'
import { Client } from './client.ts'
import type { AdapterUnderTest, Mount, Setup, StoreUnderTest, SuiteOptions } from './contract.ts'

/** A policy whose numbers are easy to foretell: a fixed window of a minute, named `p`. */
export function limitOf(limit: number, more: Partial<RatePolicy> = {}): RatePolicy {
  return { name: 'p', limit, window: 60, algorithm: 'fixed-window', ...more }
}

/** What one test works with: a fresh store on a clock of its own, limiters on it, servers in front of them. */
export class Bench {
  readonly clock: ManualClock = new ManualClock()
  readonly store: Store
  /** The codes of the warnings that the limiters gave. */
  readonly warned: string[] = []
  readonly #adapter: AdapterUnderTest
  readonly #open: { close(): Promise<void> }[] = []

  private constructor(adapter: AdapterUnderTest, store: Store, clock: ManualClock) {
    this.#adapter = adapter
    this.store = store
    this.clock = clock
  }

  /** Runs a test, and ends what it opened. */
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

  /** A limiter on the test's store that counts local addresses too. */
  limiter(policy: RateLimiterOptions['policy'], options: Partial<RateLimiterOptions> = {}): RateLimiter {
    const warn = ({ code }: HaltWarning): void => void this.warned.push(code)
    // Generous, since a busy machine is no failure of the store.
    return new RateLimiter({
      store: this.store,
      policy,
      exemptPrivateIps: false,
      storeTimeout: '5s',
      warn,
      ...options,
    })
  }

  /** Serves the fixed API behind guards; one that is no mount stands before all routes. */
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

  /** Units that a policy has left for the suite's client. */
  async left(limiter: RateLimiter, policy = 'p'): Promise<number> {
    const { verdicts } = await limiter.peek({ ip: '127.0.0.1' })
    return verdicts.find(evaluation => evaluation.policy === policy)?.remaining ?? Number.NaN
  }
}

/** Waits until something that I/O brings about holds, and fails after two seconds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await holds()); attempt++) {
    if (attempt === 400) throw new Error(`Waited in vain: ${what}`)
    await pause(5)
  }
}

/** Waits for what nobody tells of: that a peer has seen a connection go. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => void eventLoop.after(ms, resolve))
}

/** A promise that a test settles itself. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const passed = new Promise<void>(resolve => (open = resolve))
  return { passed, open }
}
