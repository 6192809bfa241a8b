import {
  type Address,
  type Bits,
  embeddedIpv4,
  holds as contains,
  type Network,
  networkIn,
  SortedNetworks,
  type Subject,
} from '@halt/core/gate'
import type { Clock } from './client-ids.ts'
import { type ControlEntry, holds, isNetwork } from './entries.ts'

/** An entry about a network. */
export interface NetworkEntry extends Network {
  readonly entry: ControlEntry
  /** The length of the prefix, in bits of its version. */
  readonly prefix: number
}

const ZERO: Bits = [0, 0, 0, 0]

/**
 * Entries about networks, found by an address.
 *
 * Two networks are disjoint, or one contains the other. So each network has at most one parent, the smallest one around it, and the
 * networks of an address are the last network that begins at it or before it, and the parents of that network.
 */
export class NetworkEntries {
  readonly #ipv4: NestedNetworks
  readonly #ipv6: NestedNetworks
  /** The number of networks. */
  readonly size: number

  /** @throws HaltError if a target is not a network */
  constructor(entries: readonly ControlEntry[]) {
    // Where a network is both blocked and let pass, the block is found first: look-ups begin at the end.
    const networks = entries
      .map(read)
      .toSorted((a, b) => Number(a.entry.kind === 'block') - Number(b.entry.kind === 'block'))
    this.size = networks.length
    this.#ipv4 = new NestedNetworks(networks.filter(({ version }) => version === 4))
    this.#ipv6 = new NestedNetworks(networks.filter(({ version }) => version === 6))
  }

  /**
   * The entry of the smallest network around an address whose entry holds. An IPv6 address that stands for an IPv4 address is
   * looked up as both, and a block of one of the two comes first.
   *
   * @param clock asked only if there is a network
   * @param longest the longest prefix that counts, where only so many bits of the address are known
   */
  find({ version, bits }: Address, clock: Clock, longest = 128): NetworkEntry | undefined {
    if (version === 4) return this.#ipv4.find(bits, clock, longest)
    const own = this.#ipv6.find(bits, clock, longest)
    const ipv4 = own?.entry.kind === 'block' ? undefined : embeddedIpv4(bits)
    return (ipv4 === undefined ? undefined : this.#ipv4.find([ipv4, 0, 0, 0], clock, 32)) ?? own
  }
}

class NestedNetworks {
  readonly #networks: SortedNetworks<NetworkEntry>
  // The index of the parent of each network; -1 for none.
  readonly #parents: Int32Array

  constructor(networks: readonly NetworkEntry[]) {
    this.#networks = new SortedNetworks(networks)
    const { all } = this.#networks
    this.#parents = new Int32Array(all.length)
    const around: number[] = []
    for (const [i, { bits }] of all.entries()) {
      while (around.length > 0 && !contains(all[around.at(-1) as number] as NetworkEntry, bits)) around.pop()
      this.#parents[i] = around.at(-1) ?? -1
      around.push(i)
    }
  }

  find(bits: Bits, clock: Clock, longest: number): NetworkEntry | undefined {
    const { all } = this.#networks
    for (let i = this.#networks.lastFrom(bits); i >= 0; i = this.#parents[i] as number) {
      const network = all[i] as NetworkEntry
      if (network.prefix <= longest && this.#networks.holds(i, bits) && holds(network.entry, clock.now()))
        return network
    }
    return undefined
  }
}

/** Whether an entry with a target reaches an address, whose subject is given too. */
export function reachesAddress(target: string, subject: Subject, address: Address): boolean {
  if (!isNetwork(target)) return target === subject
  return new NetworkEntries([{ kind: 'block', target, at: 0 }]).find(address, Date) !== undefined
}

/** Whether a target is a network that addresses can be in. */
export function isNetworkEntry(target: string): boolean {
  try {
    return read({ kind: 'block', target, at: 0 }).prefix >= 0
  } catch {
    return false
  }
}

function read(entry: ControlEntry): NetworkEntry {
  const target = entry.target as string
  const prefix = Number(target.slice(target.indexOf('/') + 1))
  // Operators may mean every address. Nobody who trusts proxies does, so `networkIn` refuses it.
  if (prefix === 0) return { entry, prefix, version: target.includes(':') ? 6 : 4, bits: ZERO, mask: ZERO }
  const network = networkIn(target, 'HALT_E_CONTROL', 'the entry')
  return { entry, prefix: network.version === 4 && prefix > 32 ? prefix - 96 : prefix, ...network }
}

/** How large a network is. */
export interface NetworkSize {
  /** How many clients it has: addresses of IPv4, or subscribers of IPv6, each with a /56. At least one. */
  readonly clients: bigint
  /** The same, for people: `16,777,216 addresses`. */
  readonly says: string
  /** Whether it is larger than the networks of one owner, so that an entry about it needs `force`. */
  readonly needsForce: boolean
}

/**
 * The shortest prefix of a network that is accepted without `force`, in bits. A provider has at most an IPv4 /8 or an IPv6 /19; the IPv6
 * networks of a whole region are a /12.
 */
const LEAST_PREFIX = { 4: 8, 6: 19 } as const
/** The longest prefix of one client. */
const CLIENT_PREFIX = { 4: 32, 6: 56 } as const

/** The size of a network, by its canonical text. Undefined for a client. */
export function sizeOfNetwork(text: string): NetworkSize | undefined {
  if (!isNetwork(text)) return undefined
  const version = text.includes(':') ? 6 : 4
  const prefix = Number(text.slice(text.indexOf('/') + 1))
  const clients = 2n ** BigInt(Math.max(0, CLIENT_PREFIX[version] - prefix))
  const what = version === 4 ? 'addresses' : 'subscribers of IPv6, each with a /56'
  return {
    clients,
    says: `${clients.toLocaleString('en')} ${what}`,
    needsForce: prefix < LEAST_PREFIX[version],
  }
}
