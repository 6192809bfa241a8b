import {
  type Address,
  checkPrefix,
  describe,
  type Digest,
  fail,
  type Identity,
  makeDigest,
  networkIn,
  networkOf,
  parseAddress,
  parseBareAddress,
  type Subject,
  subjectOf,
  type Warn,
} from '@halt/core/gate'
import { isNetwork } from './entries.ts'
import { addressOf, identityIn } from './key-text.ts'
import { reachesAddress, sizeOfNetwork } from './network-entries.ts'

/** Names clients and networks, as entries and the history do: each has one text, however it is spelled. */
export class Targets {
  readonly #digest: Digest
  readonly #ipv6Prefix: number

  /** @throws HaltError `HALT_E_SECRET`, `HALT_E_OPTION` */
  constructor(secret: string | undefined, ipv6Prefix: number | undefined, warn: Warn) {
    this.#digest = makeDigest(secret, warn)
    this.#ipv6Prefix = checkPrefix(ipv6Prefix)
  }

  /** The target of an entry that may exist. @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL` */
  of(target: Identity): string {
    return this.#named(target, readNetwork(target, false))
  }

  /**
   * The target of a new entry.
   *
   * @param force whether a network may be larger than one owner has
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   */
  ofNew(target: Identity, force: boolean | undefined): string {
    return this.#named(target, readNetwork(target, true, force))
  }

  /** The subject of a client, which is not a network. @throws HaltError `HALT_E_IDENTITY` */
  subjectOf(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#ipv6Prefix)
  }

  /** The identity that a key names. Undefined for a text that names no client. @throws HaltError `HALT_E_CONTROL` */
  identityOf(key: string): Exclude<Identity, string> | undefined {
    const identity = identityIn(key.trim())
    if (identity === undefined || !('ip' in identity) || !identity.ip.includes('/')) return identity
    // The key of an IPv6 address is the network of one subscriber.
    return this.of(identity).startsWith('ip:') ? { ip: addressOf(identity.ip) as string } : identity
  }

  /** Whether an entry about a target reaches the requests from an address. @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL` */
  reach(target: Identity, address: string): boolean {
    const own = parseAddress(address)
    return own !== undefined && reachesAddress(this.of(target), this.subjectOf({ ip: own.text }), own)
  }

  /** A network that is the key of one client is that client. */
  #named(target: Identity, network: string | undefined): string {
    if (network === undefined) return this.subjectOf(target)
    const own = this.subjectOf({ ip: network.slice(0, network.indexOf('/')) })
    return own === `ip:${network}` || `${own}/32` === `ip:${network}` ? own : network
  }
}

/**
 * Reads a network that stands for an identity: `{ ip: "203.0.113.0/24" }`. Returns its canonical text, so that a network has one
 * entry, however it is spelled. Undefined for any other identity.
 *
 * @param isNew whether an entry is made of it. Then a network with bits set after its prefix is refused, because either the network or the
 *   one address may be meant; and, without `force`, a network that is larger than one owner has
 * @throws HaltError `HALT_E_CONTROL`
 */
function readNetwork(target: unknown, isNew: boolean, force = false): string | undefined {
  if (
    isNew &&
    typeof target === 'string' &&
    parseBareAddress(target.trim().replace(/\/\d+$/, '')) !== undefined
  )
    fail(
      'HALT_E_IDENTITY',
      `${describe(target)} names a custom key, but is an address.`,
      'Give { ip: … }, or { custom: … } if it is a key of yours.',
    )
  if (typeof target !== 'object' || target === null) return undefined
  const { ip, ...others } = target as { ip?: unknown }
  if (typeof ip !== 'string' || !ip.includes('/')) return undefined
  // A zone names a link of the machine that wrote the address.
  const written = ip.trim().replace(/%[\w.:~-]+(?=\/)/, '')
  const address = parseBareAddress(written.slice(0, written.indexOf('/')))
  if (
    Object.values(others).some(value => value !== undefined) ||
    address === undefined ||
    !isNetwork(written) ||
    !isPrefix(written)
  )
    return fail(
      'HALT_E_CONTROL',
      `${describe(ip)} is not a network.`,
      'Give { ip: "203.0.113.0/24" } or { ip: "2001:db8::/32" }.',
    )
  const network = canonical(isNew ? written : withoutHostBits(written, address), address)
  if (!isNew || force) return network
  if (sizeOfNetwork(network)?.needsForce !== true) return network
  return fail(
    'HALT_E_CONTROL',
    `${describe(ip)} contains ${network.endsWith('/0') ? 'every address' : 'the addresses of many networks'}.`,
    'Give { force: true } if you mean it.',
  )
}

/** Whether the prefix of a network is one of its notation: 0 to 32 bits of IPv4, 0 to 128 of IPv6. */
function isPrefix(network: string): boolean {
  const prefix = network.slice(network.indexOf('/') + 1)
  return /^(?:0+|[1-9]\d*)$/.test(prefix) && Number(prefix) <= (network.includes(':') ? 128 : 32)
}

function canonical(network: string, { version }: Address): string {
  if (/\/0+$/.test(network)) return network.includes(':') ? '::/0' : '0.0.0.0/0'
  // Every IPv4 address, as IPv6 writes them: `::ffff:0.0.0.0/96`.
  if (version === 4 && network.includes(':') && network.endsWith('/96')) return '0.0.0.0/0'
  return networkIn(network, 'HALT_E_CONTROL', 'the target').text
}

function withoutHostBits(network: string, address: Address): string {
  const slash = network.indexOf('/')
  const isMapped = address.version === 4 && network.includes(':')
  const prefix = Number(network.slice(slash + 1)) - (isMapped ? 96 : 0)
  return prefix > 0 ? `${networkOf(address, prefix).text}/${prefix}` : network
}
