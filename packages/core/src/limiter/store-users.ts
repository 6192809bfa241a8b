import type { Store } from '../store/contract.ts'
import { WeakList } from '../base/weak-list.ts'

// Weak both ways: a store is not kept alive by its users, nor they by it.
const users = new WeakMap<Store, WeakList<object>>()

/** Notes that a limiter uses a store, until it leaves it or is collected. */
export function addUser(store: Store, user: object): void {
  let list = users.get(store)
  if (list === undefined) users.set(store, (list = new WeakList()))
  list.add(user)
}

/** Notes that a limiter uses a store no more; answers whether it did, and was the last one. */
export function removeUser(store: Store, user: object): boolean {
  const list = users.get(store)
  if (list === undefined || !list.delete(user)) return false
  const [other] = list
  return other === undefined
}
