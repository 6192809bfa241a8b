import type { Bits } from './address.ts'

/** One network: its first address, and the mask of its prefix. */
export interface Network {
  readonly version: 4 | 6
  readonly bits: Bits
  readonly mask: Bits
}

const WORDS = 4

/**
 * Networks of one IP version in the order of their addresses, a larger one before those within it. A look-up among ten thousand is a
 * search of fourteen steps.
 */
export class SortedNetworks<N extends Network> {
  readonly all: readonly N[]
  // Unsigned words, four per network; one if all are of IPv4, whose other words are 0.
  readonly #words: number
  readonly #firsts: Uint32Array
  readonly #masks: Uint32Array

  /** @param networks the networks, in any order */
  constructor(networks: readonly N[]) {
    this.all = networks.toSorted(inOrder)
    this.#words = this.all.every(({ version }) => version === 4) ? 1 : WORDS
    this.#firsts = Uint32Array.from(this.all.flatMap(({ bits }) => bits.slice(0, this.#words)))
    this.#masks = Uint32Array.from(this.all.flatMap(({ mask }) => mask.slice(0, this.#words)))
  }

  /** The index of the last network that begins at an address or before it; -1 if none does. */
  lastFrom(bits: Bits): number {
    let low = 0
    let high = this.all.length
    if (this.#words === 1) {
      // perf: bench "control"; most addresses are of IPv4, and a request may pay for a look-up of ten thousand.
      const firsts = this.#firsts
      const wanted = bits[0] >>> 0
      while (low < high) {
        const middle = (low + high) >>> 1
        if (firsts[middle]! > wanted) high = middle
        else low = middle + 1
      }
      return low - 1
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#beginsAfter(middle, bits)) high = middle
      else low = middle + 1
    }
    return low - 1
  }

  /** Whether the network at an index contains an address. */
  holds(index: number, bits: Bits): boolean {
    const words = this.#words
    const from = index * words
    for (let i = 0; i < words; i++)
      if ((bits[i]! & this.#masks[from + i]!) >>> 0 !== this.#firsts[from + i]) return false
    return true
  }

  #beginsAfter(index: number, bits: Bits): boolean {
    const words = this.#words
    const from = index * words
    for (let i = 0; i < words; i++) {
      const first = this.#firsts[from + i]!
      const other = bits[i]! >>> 0
      if (first !== other) return first > other
    }
    return false
  }
}

/** Whether a network contains the address of these bits, which has its version. */
export function holds({ bits: first, mask }: Network, bits: Bits): boolean {
  return first.every((word, i) => (bits[i]! & mask[i]!) === word)
}

/** Orders networks by their first address, a larger one before those within it. */
export function inOrder(a: Network, b: Network): number {
  return compare(a.bits, b.bits) || compare(a.mask, b.mask)
}

/** Compares bits as unsigned numbers. */
function compare(a: Bits, b: Bits): number {
  for (let i = 0; i < WORDS; i++) if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0)
  return 0
}
