import { addresses } from '#libraries'
import { checkWhole } from '../base/options-check.ts'

/**
 * The bits of an address as four signed 32-bit words, the highest first. An IPv4 address is the first word; the others are 0.
 *
 * The words are signed because JavaScript's bit operators return signed numbers, so words compare without a conversion.
 */
export type Bits = readonly [number, number, number, number]

/** One IP address, independent of its spelling. */
export interface Address {
  /** The canonical text: `203.0.113.7`, `2001:db8::1` (RFC 5952). Equal texts are equal addresses. */
  readonly text: string
  /** An IPv4-mapped IPv6 address has version 4. */
  readonly version: 4 | 6
  readonly bits: Bits
}

// The longest sensible spelling, in quotes and brackets with a zone and a port, has about 75 characters.
const MAX_TEXT = 80

// An address may come with spaces, quotes, brackets, a zone, and a port (RFC 7239 also has named ports: `_hidden`).
const PORT = '(?::(?:\\d{1,5}|_[\\w.-]+))?'
const ZONE = '(?:%[\\w.:~-]+)?'
const DECORATED: RegExp = new RegExp(
  `^[ \\t]*("?)(?:([\\d.]+)${PORT}|([\\da-f:.]+)${ZONE}|\\[([\\da-f:.]+)${ZONE}\\]${PORT})\\1[ \\t]*$`,
  'i',
)
const GROUPS = /^[\da-f]{0,4}(?::[\da-f]{0,4}){2,8}$/i

/**
 * Reads one address from a socket or from a hop of a forwarding header.
 *
 * Spaces and double quotes around the address, brackets, a port and a zone id are dropped. An IPv4 address is four decimal
 * numbers without leading zeros. `010.0.0.1`, `127.1`, `0x7f.1` and `2130706433` are rejected, because programs read them
 * differently. An address in `::ffff:0:0/96`, in any notation, is the IPv4 address in its last 32 bits. `64:ff9b::/96` and
 * `2001:db8::1.2.3.4` stay IPv6; address-key.ts makes the keys of such addresses.
 */
export function parseAddress(text: string): Address | undefined {
  // A user's `clientIp` callback may return a value that is not a string.
  if (typeof text !== 'string' || text.length > MAX_TEXT) return undefined
  const bare = parseBareAddress(text)
  if (bare !== undefined) return bare
  const match = DECORATED.exec(text)
  if (match === null) return undefined
  const [, , quadWithPort, ipv6, bracketed] = match
  return quadWithPort === undefined ? parseIpv6(ipv6 ?? bracketed ?? '') : parseBareAddress(quadWithPort)
}

/** Reads an address without decoration, as in a configuration. */
export function parseBareAddress(text: string): Address | undefined {
  const quad = parseQuad(text)
  return quad >= 0 ? fromQuad(quad) : parseIpv6(text)
}

/** The first address of a network: the bits after the prefix are 0. */
export function networkOf(address: Address, prefix: number): Address {
  const [a, b, c, d] = address.bits
  const mask = prefixMask(prefix)
  const bits: Bits = [a & mask[0], b & mask[1], c & mask[2], d & mask[3]]
  return address.version === 4 ? fromQuad(bits[0] >>> 0) : fromIpv6(bits)
}

/** The mask of a prefix of 0 to 128 bits. An IPv4 prefix has 0 to 32 bits. */
export function prefixMask(prefix: number): Bits {
  return [wordMask(prefix), wordMask(prefix - 32), wordMask(prefix - 64), wordMask(prefix - 96)]
}

// In JavaScript a shift by 32 shifts by 0, so 0 ones are a case of their own.
function wordMask(ones: number): number {
  return ones <= 0 ? 0 : ones >= 32 ? -1 : -1 << (32 - ones)
}

/**
 * Whether the private-address exemption covers this address: 127/8, ::1, 10/8, 172.16/12, 192.168/16.
 *
 * It does not cover fc00::/7, fe80::/10 and 100.64/10, because real clients connect from those.
 */
export function isPrivate(address: Address): boolean {
  const bits = address.bits
  // perf: bench "limiter.check(request)", 100 000 fresh keys; destructuring the array takes longer.
  const high = bits[0]
  if (address.version === 6) return high === 0 && bits[1] === 0 && bits[2] === 0 && bits[3] === 1
  const first = high >>> 24
  return first === 127 || first === 10 || high >>> 20 === 0xac1 || high >>> 16 === 0xc0a8
}

/** The dotted text of the 32 bits of an IPv4 address, signed or not. */
function ipv4Text(quad: number): string {
  return `${quad >>> 24}.${(quad >>> 16) & 255}.${(quad >>> 8) & 255}.${quad & 255}`
}

// A dotted quad as an unsigned number, or -1. perf: bench "limiter.check(request)", 100 000 fresh keys; each parses an address.
function parseQuad(text: string): number {
  let value = 0
  let octet = -1 // -1: no digit of this octet yet
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) {
      if (octet < 0 || ++dots > 3) return -1
      value = value * 256 + octet
      octet = -1
    } else {
      const digit = code - 48
      // If an octet is 0 and another digit follows, it has a leading zero.
      if (digit < 0 || digit > 9 || octet === 0) return -1
      octet = octet < 0 ? digit : octet * 10 + digit
      if (octet > 255) return -1
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1
}

function parseIpv6(text: string): Address | undefined {
  let hex = text
  if (text.includes('.')) {
    // ipaddr.js accepts octal and hexadecimal in the dotted tail. So we read the tail, and pass only groups to it.
    const tail = text.lastIndexOf(':') + 1
    const quad = parseQuad(text.slice(tail))
    if (quad < 0) return undefined
    hex = `${text.slice(0, tail)}${(quad >>> 16).toString(16)}:${(quad & 0xffff).toString(16)}`
  }
  const parts = GROUPS.test(hex) ? parseGroups(hex) : undefined
  if (parts === undefined) return undefined
  const word = (i: number): number => ((parts[i] ?? 0) << 16) | (parts[i + 1] ?? 0)
  const bits: Bits = [word(0), word(2), word(4), word(6)]
  // ::ffff:0:0/96, tested on the bits.
  return bits[0] === 0 && bits[1] === 0 && bits[2] === 0xffff ? fromQuad(bits[3] >>> 0) : fromIpv6(bits)
}

// A call of `isValid` first would parse the text twice, and a new client's address is nearly always valid.
function parseGroups(hex: string): readonly number[] | undefined {
  const { IPv6 } = addresses()
  try {
    return IPv6.parse(hex).parts
  } catch {
    return undefined
  }
}

function fromQuad(quad: number): Address {
  return { text: ipv4Text(quad), version: 4, bits: [quad | 0, 0, 0, 0] }
}

function fromIpv6(bits: Bits): Address {
  const [a, b, c, d] = bits
  const parts = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff]
  const { IPv6 } = addresses()
  return { text: new IPv6(parts).toRFC5952String(), version: 6, bits }
}

/**
 * Makes the key of an address, for a `keyExtractor` of your own. Halt itself counts addresses under the same key.
 *
 * An IPv4 address stays as it is: `203.0.113.7`. An IPv6 address becomes the network of one subscriber: `2001:db8::/56`. An IPv6
 * address that stands for an IPv4 address (mapped, compatible, NAT64, SIIT, 6to4, Teredo) gets the key of the IPv4 address. Ports, brackets
 * and zone ids are removed.
 *
 * @param ip an address, such as `req.ip`
 * @param options `ipv6Prefix`: how many bits of an IPv6 address make one subscriber, 32 to 128, default 56
 * @returns undefined for a text that is not an address; the policy's `onMissingKey` then decides
 * @throws HaltError `HALT_E_OPTION` for another `ipv6Prefix`
 * @example
 * keyExtractor: req => addressKey(req.ip)
 */
export function addressKey(
  ip: string | null | undefined,
  { ipv6Prefix }: { readonly ipv6Prefix?: number | undefined } = {},
): string | undefined {
  const prefix = checkPrefix(ipv6Prefix)
  const address = parseAddress(ip as string)
  return address && maskAddress(address, prefix)
}

/** Checks the `ipv6Prefix`: the number of bits of an IPv6 address that make one subscriber. @throws HaltError `HALT_E_OPTION` */
export function checkPrefix(ipv6Prefix: unknown = 56): number {
  return checkWhole('ipv6Prefix', ipv6Prefix, 32, 128)
}

/** The text that an address is counted under. IPv4 stays as it is; IPv6 becomes its network, such as `2001:db8::/56`. */
export function maskAddress(address: Address, ipv6Prefix: number): string {
  if (address.version === 4) return address.text
  const ipv4 = embeddedIpv4(address.bits)
  if (ipv4 !== undefined) return ipv4Text(ipv4)
  const prefix = isLocalTranslation(address.bits) ? 128 : ipv6Prefix
  return `${networkOf(address, prefix).text}/${prefix}`
}

/**
 * The IPv4 address in the bits of an IPv6 address, if a standard says that those bits hold the client's IPv4 address.
 *
 * It is used only for keys and for the entries of operators. Whether a peer is trusted, private or exempt depends on the IPv6
 * address as it was received.
 */
export function embeddedIpv4([a, b, c, d]: Bits): number | undefined {
  // NAT64 and SIIT by the well-known prefix, 64:ff9b::/96 (RFC 6052), and SIIT's older ::ffff:0:0:0/96 (RFC 2765).
  if (a === 0x64_ff9b && b === 0 && c === 0) return d
  if (a === 0 && b === 0 && c === -0x1_0000) return d
  // IPv4-compatible, ::/96 (RFC 4291). Below ::1:0 are ::, ::1 and no IPv4 client.
  if (a === 0 && b === 0 && c === 0 && d >>> 16 !== 0) return d
  // 6to4, 2002::/16 (RFC 3056): a site has one IPv4 address and a /48 of its own.
  if (a >>> 16 === 0x2002) return (a << 16) | (b >>> 16)
  // Teredo, 2001::/32 (RFC 4380): the last 32 bits are the client's IPv4 address, inverted. The client chooses the bits between.
  return a === 0x2001_0000 ? ~d : undefined
}

/**
 * Whether an address is in 64:ff9b:1::/48, which only translators use (RFC 8215). The operator chooses which bits hold the IPv4
 * address. But each address is one IPv4 client, so it is counted by all its bits.
 */
function isLocalTranslation([a, b]: Bits): boolean {
  return a === 0x64_ff9b && b >>> 16 === 1
}
