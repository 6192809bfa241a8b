import type { Store } from '../store/contract.ts'
import { WeakList } from '../base/weak-list.ts'

/** A limiter that uses a store. */
export interface StoreUser {
  /** Resolves when nothing of it is under way. */
  rest(): Promise<void>
}

// Weak in both directions: neither a store nor its users keep each other alive.
const users = new WeakMap<object, WeakList<StoreUser>>()

/** Records that a limiter uses a store, until it is removed or garbage-collected. */
export function addUser(store: Store, user: StoreUser): void {
  let list = users.get(store)
  if (list === undefined) users.set(store, (list = new WeakList()))
  list.add(user)
}

/** Records that a limiter no longer uses a store. Returns true if it was the last user. */
export function removeUser(store: Store, user: StoreUser): boolean {
  const list = users.get(store)
  if (list === undefined || !list.delete(user)) return false
  const [other] = list
  return other === undefined
}

/** Waits until nothing of all limiters that use a store is under way, also of those that an adapter has made. */
export async function restUsers(store: object): Promise<void> {
  await Promise.all([...(users.get(store) ?? [])].map(user => user.rest()))
}
