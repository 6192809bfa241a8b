import type { Store } from '../store/contract.ts'
import { WeakList } from '../base/weak-list.ts'

// Weak in both directions: neither a store nor its users keep each other alive.
const users = new WeakMap<Store, WeakList<object>>()

/** Records that a limiter uses a store, until it is removed or garbage-collected. */
export function addUser(store: Store, user: object): void {
  let list = users.get(store)
  if (list === undefined) users.set(store, (list = new WeakList()))
  list.add(user)
}

/** Records that a limiter no longer uses a store. Returns true if it was the last user. */
export function removeUser(store: Store, user: object): boolean {
  const list = users.get(store)
  if (list === undefined || !list.delete(user)) return false
  const [other] = list
  return other === undefined
}
