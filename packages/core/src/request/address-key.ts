import { checkWhole } from '../base/options-check.ts'
import { type Address, type Bits, ipv4Text, networkOf, parseAddress } from './address.ts'

/**
 * Makes the key of an address, for a `keyExtractor` of your own. Halt itself counts addresses under the same key.
 *
 * An IPv4 address stays as it is: `203.0.113.7`. An IPv6 address becomes the network of one subscriber: `2001:db8::/56`. An IPv6
 * address that stands for an IPv4 address (mapped, NAT64, SIIT, 6to4, Teredo) gets the key of the IPv4 address. Ports, brackets
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
