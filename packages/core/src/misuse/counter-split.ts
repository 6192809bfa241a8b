import { BoundedMap } from '../base/bounded-map.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import type { Store } from '../store/contract.ts'

/** A memory store tells how many counters it keeps. */
type Counting = Store & { readonly size?: number }

const MOST_COUNTERS = 10_000

// The default store of the last limiter with a policy, by the policy's counter.
const stores = new BoundedMap<WeakRef<Counting>>(MOST_COUNTERS)

/**
 * Warns where a new limiter and another one have a policy of one name, and a default store each: `limit` requests pass at
 * either, and on Redis they would pass at both together.
 *
 * A limiter that has counted already is left out: an app that serves requests has built all its limiters, so the new one
 * belongs to another app, as in tests.
 */
export function noticeSplit(policies: readonly CompiledPolicy[], store: Store, warn: Warn): void {
  for (const policy of policies) {
    const { name, off } = policy
    const { counter } = policy.rule('')
    const other = stores.get(counter)?.deref()
    if (!off && other !== undefined && other !== store && (other.size ?? 0) === 0)
      warn({
        code: 'HALT_W_COUNTER_SPLIT',
        message: `Two limiters of this process have a policy "${name}", and each has a memory store of its own: each admits the whole limit, and on Redis they would share it.`,
        fix: 'Build one RateLimiter and give it to both, halt({ limiter }), or give the policies names of their own.',
      })
    stores.set(counter, new WeakRef(store))
  }
}

/** Forgets the default store of a limiter whose app has ended. */
export function forgetSplit(policies: readonly CompiledPolicy[], store: Store): void {
  for (const policy of policies) {
    const { counter } = policy.rule('')
    if (stores.get(counter)?.deref() === store) stores.delete(counter)
  }
}
