import { Memo } from '../base/memo.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { Store } from '../store/contract.ts'
import { LocalStore } from './local-store.ts'

const MAX_SEEDS = 50_000

/** The counters that this process keeps in the place of those of a store. */
export interface LocalCounters {
  readonly store: LocalStore
  /** By counter: the number of the store's reply that the local counter was seeded from. */
  readonly seeded: Memo<number>
}

// One per store, because all limiters of this process that use the store have one share of its limits together.
const byStore = new WeakMap<Store, LocalCounters>()

/** The local counters of a store, shared by all limiters of the store. */
export function localCountersOf(store: Store): LocalCounters {
  let local = byStore.get(store)
  if (local === undefined)
    byStore.set(store, (local = { store: new LocalStore(nowMicros), seeded: new Memo(MAX_SEEDS) }))
  return local
}
