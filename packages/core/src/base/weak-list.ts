const FIRST_LOOK = 16

/** Objects in the order they were added in. The list keeps none of them alive: what is collected is in it no more. */
export class WeakList<T extends object> implements Iterable<T> {
  #refs: WeakRef<T>[] = []
  #nextLook = FIRST_LOOK

  add(item: T): void {
    if (this.#refs.length >= this.#nextLook) {
      this.#keep(() => true)
      this.#nextLook = Math.max(FIRST_LOOK, 2 * this.#refs.length)
    }
    this.#refs.push(new WeakRef(item))
  }

  /** Removes an object; answers whether it was there. */
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
