import { WeakList } from '../base/weak-list.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { LeaseEvaluator } from '../charge/wings.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'
import { Leases } from './leases.ts'

/** Decides by the `lease` of policies: units that this process takes in advance. */
export function leases(evaluator: Evaluator, store: Store): LeaseEvaluator {
  const own = new Leases(evaluator)
  onReconnection(store, own)
  return own
}

/** An object that is notified of a store's new connections. */
interface Reconnectable {
  reconnected(): void
}

const listenersByStore = new WeakMap<Store, WeakList<Reconnectable>>()

/** Notifies a listener of every new connection of a store. The store holds the listener weakly. */
function onReconnection(store: Store, listener: Reconnectable): void {
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
