/** A reference to an object. It does not keep the object alive, unless the runtime has no `WeakRef`. */
export interface Reference<T extends object> {
  deref(): T | undefined
}

/** Makes a reference. Workers with a compatibility date before 2025-05-05 have no `WeakRef`: there it keeps its object. */
export function referTo<T extends object>(item: T): Reference<T> {
  return hasWeakRef() ? new WeakRef(item) : { deref: () => item }
}

/** True where references are weak. Where it is false, a list of references must be bounded. */
export function hasWeakRef(): boolean {
  return typeof WeakRef === 'function'
}

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
