import { BoundedMap } from '../base/bounded-map.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import { type Reference, referTo } from '../base/weak-reference.ts'
import type { Store } from '../store/contract.ts'

/** A memory store, which knows how many counters it holds. */
type SizedStore = Store & { readonly size?: number }

const MAX_COUNTERS = 10_000

// By counter of a policy: the default store of the last limiter that has the policy.
let stores: BoundedMap<Reference<SizedStore>> | undefined
// Made late, because this file loads while the kernel that imports it is loading.
const defaultStores = (): BoundedMap<Reference<SizedStore>> => (stores ??= new BoundedMap(MAX_COUNTERS))

/**
 * Warns when a new limiter and another one have a policy of the same name and a default store each. Then each limiter admits
 * `limit` requests, while on Redis both together would admit that many.
 *
 * A limiter that has already counted requests is ignored. An app that serves requests has built all its limiters, so the new
 * limiter belongs to another app, as in tests.
 */
export function noticeSplit(policies: readonly CompiledPolicy[], store: Store, warn: Warn): void {
  for (const policy of policies) {
    const { name, off } = policy
    const { counter } = policy.rule('')
    const other = defaultStores().get(counter)?.deref()
    if (!off && other !== undefined && other !== store && (other.size ?? 0) === 0)
      warn({
        code: 'HALT_W_COUNTER_SPLIT',
        message: `Two limiters of this process have a policy "${name}", and each has a memory store of its own. Each admits the whole limit, while on Redis they would share it.`,
        fix: 'Build one RateLimiter and give it to both, halt({ limiter }), or give the policies different names.',
      })
    defaultStores().set(counter, referTo(store))
  }
}

/** Forgets the default store of a limiter whose app has ended. */
export function forgetSplit(policies: readonly CompiledPolicy[], store: Store): void {
  for (const policy of policies) {
    const { counter } = policy.rule('')
    if (defaultStores().get(counter)?.deref() === store) defaultStores().delete(counter)
  }
}
