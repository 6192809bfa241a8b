// An asynchronous store that a test can make fail as a network or a server does.
import { afterFreeTime } from '../../src/base/promises.ts'
import { RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import type { CounterId, Group, Store, StoreMark, Evaluation } from '../../src/databases/index.ts'
import { view } from '../world.ts'

/** How a call fails. */
export type Fault = 'none' | 'reject' | 'hang' | 'throw' | 'late answer' | 'late rejection'

/** An asynchronous store on this process's clock, whose faults a test chooses. */
export class FaultyStore implements Store {
  readonly kind: string = 'faulty'
  fault: Fault = 'none'
  /** The error of a failing call. */
  error: unknown = Object.assign(new Error('connection lost'), { unsent: true })
  /** The delay of a late answer, in milliseconds. */
  lateness = 60
  /** How many groups it was asked to evaluate. */
  calls = 0
  probes = 0
  keepsPace?: boolean
  #inner: ReferenceStore = new ReferenceStore(now)
  #losses = 0
  readonly #mark: StoreMark = { read: () => this.#answer(() => `mark ${this.#losses}`) }

  async #answer<T>(make: () => T): Promise<T> {
    await Promise.resolve()
    if (this.fault === 'reject') throw this.error
    if (this.fault === 'hang') return new Promise<T>(() => {})
    if (this.fault === 'late rejection') await pause(this.lateness)
    if (this.fault === 'late rejection') throw this.error
    const value = make()
    if (this.fault === 'late answer') await pause(this.lateness)
    return value
  }

  evaluate(group: Group): Promise<Evaluation> {
    this.calls++
    if (this.fault === 'throw') throw this.error
    return this.#answer(() => this.#inner.evaluate(group))
  }

  forget(counters: readonly CounterId[]): Promise<number> {
    return this.#answer(() => this.#inner.forget(counters))
  }

  probe(): Promise<void> {
    this.probes++
    return this.#answer(() => {})
  }

  mark(): StoreMark {
    return this.#mark
  }

  /** Forgets everything, as a server that restarts. */
  empty(): void {
    this.#losses++
    this.#inner = new ReferenceStore(now)
  }
}

/** A limiter whose store works until a test makes it fail. */
export function failableLimiter(
  given: RateLimiterOptions['policy'],
  options: Partial<RateLimiterOptions> = {},
): { store: FaultyStore; limiter: RateLimiter; fail: () => void; recover: () => Promise<void> } {
  const store = new FaultyStore()
  const limiter = new RateLimiter({ store, policy: given, warn: () => {}, ...options })
  return {
    store,
    limiter,
    fail: () => void (store.fault = 'reject'),
    async recover() {
      store.fault = 'none'
      while ((await limiter.check(view({ ip: '198.51.100.99' }), { cost: 0 })).degraded !== false)
        await pause(20)
    },
  }
}

/**
 * Waits until the event loop was free for some milliseconds, as a deadline does. So on a starved machine a late answer stays
 * later than the deadline.
 */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => void afterFreeTime(ms, resolve))
}

const now = (): number => performance.timeOrigin + performance.now()
