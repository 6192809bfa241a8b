import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'
import { WeakList } from '../base/weak-list.ts'

/** An object that is notified of a store's new connections. */
export interface Reconnectable {
  reconnected(): void
}

const listenersByStore = new WeakMap<Store, WeakList<Reconnectable>>()

/** Notifies a listener of every new connection of a store. The store holds the listener weakly. */
export function onReconnection(store: Store, listener: Reconnectable): void {
  let list = listenersByStore.get(store)
  if (list === undefined) {
    const listeners = new WeakList<Reconnectable>()
    listenersByStore.set(store, (list = listeners))
    capabilitiesOf(store).onReconnect(() => {
      for (const each of listeners) each.reconnected()
    })
  }
  list.add(listener)
}
