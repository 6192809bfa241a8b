import type { Address, Bits } from './address.ts'

/** One network: its first address, and the mask of its prefix. */
export interface Network {
  readonly version: 4 | 6
  readonly bits: Bits
  readonly mask: Bits
}

const WORDS = 4

/**
 * Networks of one IP version in the order of their addresses, so that a look-up among ten thousand is a search of fourteen steps.
 *
 * Two networks are disjoint, or one contains the other. Those within another are left out, so an address can only be in the last
 * network that begins at it or before it.
 */
export class NetworkTable {
  // Unsigned words, four per network.
  readonly #firsts: Uint32Array
  readonly #masks: Uint32Array
  readonly #length: number

  constructor(networks: readonly Network[]) {
    const sorted = networks.toSorted((a, b) => compare(a.bits, b.bits) || compare(a.mask, b.mask))
    const kept: Network[] = []
    for (const network of sorted) {
      const last = kept.at(-1)
      if (last === undefined || !holds(last, network.bits)) kept.push(network)
    }
    this.#length = kept.length
    this.#firsts = Uint32Array.from(kept.flatMap(({ bits }) => bits))
    this.#masks = Uint32Array.from(kept.flatMap(({ mask }) => mask))
  }

  /** Whether one of the networks contains an address of their version. */
  contains({ bits }: Address): boolean {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#beginsAfter(middle, bits)) high = middle
      else low = middle + 1
    }
    return low > 0 && this.#holds(low - 1, bits)
  }

  #beginsAfter(index: number, bits: Bits): boolean {
    const from = index * WORDS
    for (let i = 0; i < WORDS; i++) {
      const first = this.#firsts[from + i]!
      const other = bits[i]! >>> 0
      if (first !== other) return first > other
    }
    return false
  }

  #holds(index: number, bits: Bits): boolean {
    const from = index * WORDS
    for (let i = 0; i < WORDS; i++)
      if ((bits[i]! & this.#masks[from + i]!) >>> 0 !== this.#firsts[from + i]) return false
    return true
  }
}

/** Whether a network contains the address of these bits, which has its version. */
function holds({ bits: first, mask }: Network, bits: Bits): boolean {
  return first.every((word, i) => (bits[i]! & mask[i]!) === word)
}

/** Compares bits as unsigned numbers. */
function compare(a: Bits, b: Bits): number {
  for (let i = 0; i < WORDS; i++) if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0)
  return 0
}
