import { prepare } from '#libraries'
import { TextCache } from '../base/bounded-memory.ts'
import { describe, HaltError } from '../base/errors.ts'
import { type Address, isPrivate, parseAddress, maskAddress } from './address.ts'
import { syntaxOf, FORWARDING_HEADERS, readEntries, type HeaderBag, readHeader } from './headers.ts'
import { type FoundKey, UNKNOWN_ADDRESS } from './identity.ts'
import { type ProxySigns, proxySigns, compileTrust, type TrustedProxies } from './trusted-proxies.ts'
import type { RequestView } from './view.ts'

/** The options that say where the client's address comes from. */
export interface ClientIpOptions {
  /** The proxies whose header is believed. Default: none. */
  readonly trustedProxies?: TrustedProxies | undefined
  /** The header in which a trusted peer names the client. Default `x-forwarded-for`. */
  readonly clientIpHeader?: string | undefined
  /** The number of bits of an IPv6 address that make one subscriber. Default 56. */
  readonly ipv6Prefix?: number | undefined
}

/** One step on the way from the socket to the client. */
export interface Hop {
  /** The text as received. */
  readonly address: string
  readonly parsed: Address | undefined
  readonly trusted: boolean
  /** Halt's conclusion from this hop, in words. */
  readonly why: string
}

/** The parts of a view that show the client. The headers may be costly to make, so they are read only if they matter. */
type Sender = Pick<RequestView, 'ip' | 'clientIp' | 'headers'>

/** Finds the client of a request: the nearest hop that is not a trusted proxy. */
export interface ClientIp {
  resolve(sender: Sender): ClientAddress
  /** The client at an address that the application gave. */
  given(ip: string): ClientAddress
  /** Whether a header names a client other than the peer, whether or not Halt believes it. */
  namesAnother(headers: HeaderBag, peer: string | undefined): boolean
  /** Finds the sign that the peer is a proxy. */
  readonly proxySign: ProxySigns
  /** Lists the hops that `resolve` follows, the socket peer first. The last hop with an address is the client. */
  walk(sender: Sender): Hop[]
}

/**
 * Compiles the options into a {@link ClientIp}.
 *
 * @throws HaltError `HALT_E_TRUSTED_PROXIES`, `HALT_E_CLIENT_IP_HEADER`
 */
export function compileClientIp(options: ClientIpOptions): ClientIp {
  const isTrusted = compileTrust(options.trustedProxies)
  const source = compileHeader(options.clientIpHeader)
  const syntax = syntaxOf(source)
  const isList = syntax === 'list' || syntax === 'rfc7239'
  const addressIn = addressReader(options.ipv6Prefix ?? 56)
  const names = [...new Set([source, ...FORWARDING_HEADERS])]

  function follow(sender: Sender, trail?: Hop[]): ClientAddress {
    const peer = sender.ip
    const start = peer === undefined ? undefined : addressIn(peer)
    if (start === undefined) {
      const named = sender.clientIp === undefined ? undefined : addressIn(sender.clientIp)
      if (named !== undefined) {
        trail?.push(hop(sender.clientIp ?? '', named.address, false, 'named by the platform, the client'))
        // As behind a trusted proxy: the platform is the peer.
        return named.trusted
      }
      trail?.push(hop(peer ?? '', undefined, false, 'the socket has no IP address'))
      return NO_ADDRESS
    }
    const trusted = isTrusted(start.address, 0)
    trail?.push(hop(peer ?? '', start.address, trusted, trusted ? PEER_TRUSTED : PEER_UNTRUSTED))
    return trusted ? walkHeader(start, sender.headers, trail).trusted : start.untrusted
  }

  function walkHeader(peer: KnownAddress, headers: HeaderBag, trail: Hop[] | undefined): KnownAddress {
    const { nearestFirst, cut } = readEntries(readHeader(headers, source), syntax)
    let client = peer
    let number = 0
    for (const { text, address } of nearestFirst) {
      const known = address === undefined ? undefined : addressIn(address)
      if (known === undefined) {
        trail?.push(
          hop(text, undefined, false, `${source} has no address here, so the hop before it is the client`),
        )
        return client
      }
      client = known
      // A header with a single address names the client, even if that address is in trustedProxies.
      const trusted = isList && isTrusted(known.address, ++number)
      trail?.push(hop(text, known.address, trusted, `named by ${source}, ${trusted ? IS_PROXY : IS_CLIENT}`))
      if (!trusted) return client
    }
    if (cut) trail?.push(hop('…', undefined, false, `${source} has more hops than Halt reads`))
    return client
  }

  return {
    resolve: sender => follow(sender),
    given: ip => addressIn(ip)?.untrusted ?? NO_ADDRESS,
    namesAnother: (headers, peer) => names.some(name => ![undefined, peer].includes(textOf(headers, name))),
    proxySign: proxySigns(source),
    walk(sender) {
      const trail: Hop[] = []
      follow(sender, trail)
      return trail
    },
  }
}

const IS_PROXY = 'in trustedProxies, so Halt goes on to the next hop; without one, this is the client'
const IS_CLIENT = 'the client'
const PEER_TRUSTED = `the socket peer, ${IS_PROXY}`
const PEER_UNTRUSTED = 'the socket peer, not in trustedProxies, so it is the client whatever the headers say'

function hop(address: string, parsed: Address | undefined, trusted: boolean, why: string): Hop {
  return { address, parsed, trusted, why }
}

function textOf(headers: HeaderBag, name: string): string | undefined {
  const value = readHeader(headers, name)
  return value === undefined || typeof value === 'string' ? value : value.join(', ')
}

/** Checks the name of the header, and gives it in lower case. */
function compileHeader(name: string | undefined): string {
  if (name === undefined) return 'x-forwarded-for'
  if (typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name.toLowerCase()
  throw new HaltError(
    'HALT_E_CLIENT_IP_HEADER',
    `clientIpHeader is ${describe(name)}, not the name of a header.`,
    'Name the header that your proxy sets, such as "x-forwarded-for", "forwarded" or "cf-connecting-ip".',
  )
}

/** The client's address, and the key that it is counted under. */
export interface ClientAddress {
  /** Undefined if the connection has no address: a Unix socket, an injected request. */
  readonly address: Address | undefined
  /** The key of the address: `ip:203.0.113.7`, `ip:2001:db8::/56`. */
  readonly key: FoundKey
  /** Whether the private-address exemption covers the address. */
  readonly isPrivate: boolean
  /** Whether the socket peer is a trusted proxy. */
  readonly trusted: boolean
  /** The mark of the operators' entries that are known not to name this address. */
  unlisted?: object | undefined
}

/** An address with both results for it. They are made once, so that a request of a known client allocates nothing. */
class KnownAddress {
  readonly address: Address
  readonly #key: FoundKey
  readonly #isPrivate: boolean
  #trusted: ClientAddress | undefined
  #untrusted: ClientAddress | undefined

  constructor(address: Address, ipv6Prefix: number) {
    this.address = address
    this.#key = { subject: `ip:${maskAddress(address, ipv6Prefix)}`, how: HOW, unverified: false }
    this.#isPrivate = isPrivate(address)
  }

  /** The result where the socket peer is a trusted proxy. */
  get trusted(): ClientAddress {
    return (this.#trusted ??= this.#result(true))
  }

  /** The result where it is not. */
  get untrusted(): ClientAddress {
    return (this.#untrusted ??= this.#result(false))
  }

  #result(trusted: boolean): ClientAddress {
    return { address: this.address, key: this.#key, isPrivate: this.#isPrivate, trusted }
  }
}

const HOW = 'the client address'

/** The result for a request without an address. */
const NO_ADDRESS: ClientAddress = Object.freeze({
  address: undefined,
  key: { subject: UNKNOWN_ADDRESS, how: HOW, unverified: false },
  isPrivate: false,
  trusted: false,
})

/** Reads an address from text, or from memory; undefined for a text that is not an address. */
type AddressReader = (text: string) => KnownAddress | undefined

// One reader per prefix for all limiters of the process, so that only one set of addresses is remembered.
const readers: AddressReader[] = []

/** The reader that groups IPv6 addresses by this prefix, in bits. */
function addressReader(ipv6Prefix: number): AddressReader {
  return (readers[ipv6Prefix] ??= makeReader(ipv6Prefix))
}

function makeReader(ipv6Prefix: number): AddressReader {
  prepare()
  const recent = new TextCache<KnownAddress>(16_384)
  return text => {
    const known = recent.get(text)
    if (known !== undefined) return known
    const address = parseAddress(text)
    if (address === undefined) return undefined
    const fresh = new KnownAddress(address, ipv6Prefix)
    recent.set(text, fresh)
    return fresh
  }
}
