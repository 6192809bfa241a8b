import { describe, type HaltErrorCode } from '../base/errors.ts'
import { fail } from '../base/options-check.ts'
import { type Bits, type Address, networkOf, parseBareAddress, prefixMask } from './address.ts'

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
function inOrder(a: Network, b: Network): number {
  return compare(a.bits, b.bits) || compare(a.mask, b.mask)
}

/** Compares bits as unsigned numbers. */
function compare(a: Bits, b: Bits): number {
  for (let i = 0; i < WORDS; i++) if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0)
  return 0
}

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

/** The date since which Cloudflare has published exactly these ranges. */
export const CLOUDFLARE_DATE = '2023-09-28'

/**
 * The ranges that Cloudflare connects from, 15 IPv4 and 7 IPv6. `trustedProxies: ["cloudflare"]` stands for them.
 *
 * The source is https://www.cloudflare.com/ips-v4 and https://www.cloudflare.com/ips-v6. The ranges change every few years, and
 * Cloudflare publishes a new range before it carries traffic. If a range is missing here, its visitors are counted under the
 * address of the Cloudflare server. That is unfair, but not unsafe. Until a release has the range, add it yourself:
 * `trustedProxies: ["cloudflare", "192.0.2.0/24"]`.
 */
export const CLOUDFLARE_RANGES: readonly string[] = Object.freeze([
  '173.245.48.0/20',
  '103.21.244.0/22',
  '103.22.200.0/22',
  '103.31.4.0/22',
  '141.101.64.0/18',
  '108.162.192.0/18',
  '190.93.240.0/20',
  '188.114.96.0/20',
  '197.234.240.0/22',
  '198.41.128.0/17',
  '162.158.0.0/15',
  '104.16.0.0/13',
  '104.24.0.0/14',
  '172.64.0.0/13',
  '131.0.72.0/22',
  '2400:cb00::/32',
  '2606:4700::/32',
  '2803:f800::/32',
  '2405:b500::/32',
  '2405:8100::/32',
  '2a06:98c0::/29',
  '2c0f:f248::/32',
])

/** A compiled set of networks. */
export interface Networks {
  /** Whether one of the networks contains the address. An IPv6 network never contains an IPv4 address, nor the reverse. */
  contains(address: Address): boolean
}

/** A network with its text. */
interface NamedNetwork extends Network {
  /** The canonical text: `203.0.113.0/24`, `2001:db8::/32`. Equal texts are equal networks. */
  readonly text: string
}

/** The names that stand for networks. `private` is the same as in the private-address exemption. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1']],
  ['linklocal', ['169.254.0.0/16', 'fe80::/10']],
  ['private', ['127.0.0.0/8', '::1', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']],
  ['cloudflare', CLOUDFLARE_RANGES],
])

/**
 * Compiles a list of CIDRs, addresses and names (`loopback`, `linklocal`, `private`, `cloudflare`).
 *
 * @param list the user's list
 * @param code the error's code: `HALT_E_TRUSTED_PROXIES` or `HALT_E_EXEMPTION`
 * @param option the option's name, for the error
 * @throws HaltError for any other entry, for a CIDR with bits set after its prefix, and for `/0`
 */
export function parseNetworks(
  list: readonly string[],
  code: HaltErrorCode,
  option = 'trustedProxies',
): Networks {
  if (!Array.isArray(list)) fail(code, `${option} is ${describe(list)}, not a list.`, listFix(option, list))
  const networks = list.flatMap((entry: unknown) => {
    if (typeof entry !== 'string') return fail(code, `${option} holds ${describe(entry)}.`, listFix(option))
    const text = entry.trim()
    return (NAMED.get(text) ?? [text]).map(item => networkIn(item, code, option))
  })
  const ipv4 = new NetworkTable(networks.filter(({ version }) => version === 4))
  const ipv6 = new NetworkTable(networks.filter(({ version }) => version === 6))
  return { contains: address => (address.version === 4 ? ipv4 : ipv6).contains(address) }
}

/** Reads one CIDR or address. @throws HaltError with `code`, as {@link parseNetworks} */
export function networkIn(text: string, code: HaltErrorCode, option: string): NamedNetwork {
  const slash = text.indexOf('/')
  const written = slash < 0 ? text : text.slice(0, slash)
  const address = parseBareAddress(written)
  const length = slash < 0 ? '' : text.slice(slash + 1)
  const whole = written.includes(':') ? 128 : 32
  const prefix = slash < 0 ? whole : /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN
  if (address === undefined || !(prefix <= whole)) {
    return fail(code, `${describe(text)} in ${option} is not an address, CIDR or name.`, listFix(option))
  }
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8. With a prefix below 96 a network would contain more than mapped addresses. proxy-addr
  // read `::ffff:10.0.0.0/8` as all of IPv4 (CVE-2026-90711).
  const mapped = address.version === 4 && whole === 128
  const own = mapped ? prefix - 96 : prefix
  if (own < 0) {
    const fix = `Write the IPv4 network itself, "${address.text}/${Math.min(prefix, 32)}", or a prefix of 96 + its length.`
    return fail(code, `${describe(text)} in ${option} is an IPv4-mapped network with a prefix below 96.`, fix)
  }
  if (own === 0) {
    const fix =
      'List the networks of your own proxies, such as "10.0.0.0/8". A trusted peer may claim any address.'
    return fail(code, `${describe(text)} in ${option} contains every address.`, fix)
  }
  const network = networkOf(address, own)
  if (network.text !== address.text) {
    const fix = `Write "${network.text}/${own}" for the whole network, or "${address.text}" for the one address.`
    return fail(code, `${describe(text)} in ${option} has bits set after its prefix.`, fix)
  }
  const { version, bits } = address
  return { version, bits, mask: prefixMask(own), text: `${address.text}/${own}` }
}

function listFix(option: string, value?: unknown): string {
  const items =
    typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : ['10.0.0.0/8', '192.0.2.7']
  const names = [...NAMED.keys()].join(', ')
  return `Write ${option}: ${JSON.stringify(items)}, or names (${names}); a count of hops or true would let clients choose their address.`
}
