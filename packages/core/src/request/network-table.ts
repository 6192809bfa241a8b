import type { Address } from './address.ts'
import { holds, inOrder, type Network, SortedNetworks } from './sorted-networks.ts'

/**
 * A set of networks of one IP version.
 *
 * Two networks are disjoint, or one contains the other. Those within another are left out, so an address can only be in the last
 * network that begins at it or before it.
 */
export class NetworkTable {
  readonly #networks: SortedNetworks<Network>

  constructor(networks: readonly Network[]) {
    const kept: Network[] = []
    for (const network of networks.toSorted(inOrder)) {
      const last = kept.at(-1)
      if (last === undefined || !holds(last, network.bits)) kept.push(network)
    }
    this.#networks = new SortedNetworks(kept)
  }

  /** Whether one of the networks contains an address of their version. */
  contains({ bits }: Address): boolean {
    const last = this.#networks.lastFrom(bits)
    return last >= 0 && this.#networks.holds(last, bits)
  }
}
