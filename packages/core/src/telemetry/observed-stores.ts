import { type Reference, referTo } from '../base/weak-reference.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { ObservedStore } from '../check/telemetry.ts'

const MAX_STORES = 100

/** The stores that a telemetry has seen, so that it can read how many counters they hold. It holds them weakly. */
export class ObservedStores {
  #stores: Reference<ObservedStore>[] = []

  /** Adds a store once. Keeps at most 100 living stores, so that limiters made per request do not fill the memory. */
  add(store: ObservedStore): void {
    const present = this.#alive()
    if (present.length < MAX_STORES && !present.includes(store)) this.#stores.push(referTo(store))
  }

  /** How many counters the stores of each kind hold together. Stores without a `size` are left out. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const { kind, size } of this.#alive().map(capabilitiesOf)) {
      const count = size()
      if (count !== undefined) sizes.set(kind, (sizes.get(kind) ?? 0) + count)
    }
    return sizes
  }

  #alive(): ObservedStore[] {
    this.#stores = this.#stores.filter(ref => ref.deref() !== undefined)
    return this.#stores.map(ref => ref.deref()).filter(store => store !== undefined)
  }
}
