import { hasWeakRef, type Reference, referTo } from './weak-reference.ts'

/** The length at which the list first drops its collected objects. */
const FIRST_CLEANUP = 16
/** The most objects where the list keeps them alive. */
const MOST_KEPT = 1000

/**
 * A list of objects in the order in which they were added. It keeps none of them alive, and skips those collected. Where the
 * runtime has no `WeakRef`, it keeps the last 1000 alive, and forgets older ones.
 */
export class WeakList<T extends object> implements Iterable<T> {
  #refs: Reference<T>[] = []
  #nextCleanup = FIRST_CLEANUP

  add(item: T): void {
    if (this.#refs.length >= this.#nextCleanup) {
      this.#keep(() => true)
      this.#nextCleanup = Math.max(FIRST_CLEANUP, 2 * this.#refs.length)
    }
    if (this.#refs.length >= MOST_KEPT && !hasWeakRef()) this.#refs.shift()
    this.#refs.push(referTo(item))
  }

  /** Removes an object. Returns whether it was in the list. */
  delete(item: T): boolean {
    let found = false
    this.#keep(each => {
      if (each === item) found = true
      return each !== item
    })
    return found
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const ref of this.#refs) {
      const item = ref.deref()
      if (item !== undefined) yield item
    }
  }

  #keep(isKept: (item: T) => boolean): void {
    this.#refs = this.#refs.filter(ref => {
      const item = ref.deref()
      return item !== undefined && isKept(item)
    })
  }
}
