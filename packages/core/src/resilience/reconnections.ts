import type { Store } from '../store/contract.ts'
import { WeakList } from '../base/weak-list.ts'

/** Wants to know when a store has opened a connection anew. */
export interface Reconnectable {
  reconnected(): void
}

const heard = new WeakMap<Store, WeakList<Reconnectable>>()

/** Tells a listener whenever a store opens a connection anew, for as long as the listener lives: the store does not hold it. */
export function hearReconnections(store: Store, listener: Reconnectable): void {
  let list = heard.get(store)
  if (list === undefined) {
    const listeners = new WeakList<Reconnectable>()
    heard.set(store, (list = listeners))
    store.onReconnect?.(() => {
      for (const each of listeners) each.reconnected()
    })
  }
  list.add(listener)
}
