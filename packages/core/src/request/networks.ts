import { describe } from '../base/describe.ts'
import { HaltError, type HaltErrorCode } from '../base/errors.ts'
import { type Address, networkOf, parseBareAddress, prefixMask } from './address.ts'
import { CLOUDFLARE_RANGES } from './cloudflare-ranges.ts'
import { NetworkTable } from './network-table.ts'
import type { Network } from './sorted-networks.ts'

/** A compiled set of networks. */
export interface Networks {
  /** The number of networks. */
  readonly size: number
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
  const fail = (message: string, fix: string): never => {
    throw new HaltError(code, message, fix)
  }
  if (!Array.isArray(list)) fail(`${option} is ${describe(list)}, not a list.`, listFix(option, list))
  const networks = list.flatMap((entry: unknown) => {
    if (typeof entry !== 'string') return fail(`${option} holds ${describe(entry)}.`, listFix(option))
    const text = entry.trim()
    return (NAMED.get(text) ?? [text]).map(item => parseNetwork(item, option, fail))
  })
  const ipv4 = new NetworkTable(networks.filter(({ version }) => version === 4))
  const ipv6 = new NetworkTable(networks.filter(({ version }) => version === 6))
  return {
    size: networks.length,
    contains: address => (address.version === 4 ? ipv4 : ipv6).contains(address),
  }
}

/**
 * Reads one CIDR or address.
 *
 * @throws HaltError with `code`, as {@link parseNetworks}
 */
export function networkIn(text: string, code: HaltErrorCode, option: string): NamedNetwork {
  return parseNetwork(text, option, (message, fix) => {
    throw new HaltError(code, message, fix)
  })
}

function parseNetwork(
  text: string,
  option: string,
  fail: (message: string, fix: string) => never,
): NamedNetwork {
  const slash = text.indexOf('/')
  const written = slash < 0 ? text : text.slice(0, slash)
  const address = parseBareAddress(written)
  const length = slash < 0 ? '' : text.slice(slash + 1)
  const whole = written.includes(':') ? 128 : 32
  const prefix = slash < 0 ? whole : /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN
  if (address === undefined || !(prefix <= whole)) {
    return fail(`${describe(text)} in ${option} is not an address, CIDR or name.`, listFix(option))
  }
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8. With a prefix below 96 a network would contain more than mapped addresses. proxy-addr
  // read `::ffff:10.0.0.0/8` as all of IPv4 (CVE-2026-90711).
  const mapped = address.version === 4 && whole === 128
  const own = mapped ? prefix - 96 : prefix
  if (own < 0) {
    const fix = `Write the IPv4 network itself, "${address.text}/${Math.min(prefix, 32)}", or a prefix of 96 + its length.`
    return fail(`${describe(text)} in ${option} is an IPv4-mapped network with a prefix below 96.`, fix)
  }
  if (own === 0) {
    const fix =
      'List the networks of your own proxies, such as "10.0.0.0/8". A trusted peer may claim any address.'
    return fail(`${describe(text)} in ${option} contains every address.`, fix)
  }
  const network = networkOf(address, own)
  if (network.text !== address.text) {
    const fix = `Write "${network.text}/${own}" for the whole network, or "${address.text}" for the one address.`
    return fail(`${describe(text)} in ${option} has bits set after its prefix.`, fix)
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
