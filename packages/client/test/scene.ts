import { type HaltWarning, type Policy, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { limitedFetch, type LimitedFetchOptions } from '../src/index.ts'

/** A limiter with room for every call of a test, and its warnings. */
export function limiterOf(
  policy: Partial<Policy> = {},
  store: InMemoryStore = new InMemoryStore(),
): { readonly limiter: RateLimiter; readonly warned: string[]; readonly store: InMemoryStore } {
  const warned: string[] = []
  const warn = ({ code }: HaltWarning): void => void warned.push(code)
  // Said, because callers that wait for a full bucket are warned of otherwise.
  const burst = policy.algorithm === undefined ? { burst: policy.limit ?? 1000 } : {}
  const whole = { name: 'api', limit: 1000, window: 3600, ...burst, ...policy } as Policy
  return { limiter: new RateLimiter({ store, policy: whole, warn }), warned, store }
}

/** A limiter that lets one call be in flight. */
export function limiterOfOneCall(): RateLimiter {
  return limiterOf({ algorithm: 'concurrency', limit: 1, ttl: 3600, window: undefined } as never).limiter
}

/** A limited fetch with a limiter of its own. */
export function anyFetch(options: Partial<LimitedFetchOptions> = {}): typeof fetch {
  return limitedFetch({ limiter: limiterOf().limiter, ...options })
}

/** The headers of a refusal that tells to wait for a moment. */
export const SOON: Record<string, string> = { 'retry-after-ms': '5' }

/** The error of a promise that must reject. */
export async function errorOf(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    value => {
      throw new Error(`It resolved to ${String(value)}.`)
    },
    (error: unknown) => error,
  )
}
