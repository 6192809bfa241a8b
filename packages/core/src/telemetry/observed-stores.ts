import type { ObservedStore } from './telemetry.ts'

const MAX_STORES = 100

/** The stores that a telemetry was shown, to ask how many counters they hold. Keeps none of them alive. */
export class ObservedStores {
  #stores: WeakRef<ObservedStore>[] = []

  /** Notes a store, once. The first hundred that are alive; a limiter made per request must not fill the memory. */
  add(store: ObservedStore): void {
    const present = this.#alive()
    if (present.length < MAX_STORES && !present.includes(store)) this.#stores.push(new WeakRef(store))
  }

  /** How many counters the stores of each kind hold together. Kinds that do not know are absent. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const { kind = 'custom', size } of this.#alive())
      if (size !== undefined) sizes.set(kind, (sizes.get(kind) ?? 0) + size)
    return sizes
  }

  #alive(): ObservedStore[] {
    this.#stores = this.#stores.filter(ref => ref.deref() !== undefined)
    return this.#stores.map(ref => ref.deref()).filter(store => store !== undefined)
  }
}
