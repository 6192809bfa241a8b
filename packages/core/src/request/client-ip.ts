import { describe } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import { isStrayPromise } from '../base/timers.ts'
import { type Address, isPrivate, parseAddress } from './address.ts'
import { maskAddress } from './address-key.ts'
import { dialectOf, FORWARDING_HEADERS, readEntries } from './forwarding.ts'
import { type FoundKey, UNKNOWN_ADDRESS } from './identity.ts'
import { parseNetworks } from './networks.ts'
import { type ProxySigns, proxySigns } from './proxy-signs.ts'
import { Memo } from '../base/memo.ts'
import { type HeaderBag, readHeader } from './headers.ts'
import type { RequestView } from './view.ts'

/** Who may say for whom it asks: CIDRs, addresses and names, or a function (`hop` 0 is the socket peer). */
export type TrustedProxies = readonly string[] | ((address: string, hop: number) => boolean)

/** Where the client's address comes from. */
export interface ClientIpOptions {
  /** Default: nobody. */
  readonly trustedProxies?: TrustedProxies | undefined
  /** The header a trusted peer names the client in. Default `x-forwarded-for`. */
  readonly clientIpHeader?: string | undefined
  /** How many bits of an IPv6 address make one subscriber. Default 56. */
  readonly ipv6Prefix?: number | undefined
}

/** Whether a limiter is told which proxies to trust. */
export function isToldOfProxies({ trustedProxies }: ClientIpOptions): boolean {
  return typeof trustedProxies === 'function' || Boolean(trustedProxies?.length)
}

/** Whose request it is. */
export interface ClientAddress {
  /** The client's; absent if the connection has none (a Unix socket, an injected request). */
  readonly address: Address | undefined
  /** What it is counted under: `ip:203.0.113.7`, `ip:2001:db8::/56`. */
  readonly key: FoundKey
  /** Whether the private-address exemption means it. */
  readonly isPrivate: boolean
  /** Whether the socket peer is a trusted proxy. */
  readonly trusted: boolean
}

/** One step on the way from the socket to the client. */
export interface Hop {
  /** As received. */
  readonly address: string
  readonly parsed: Address | undefined
  readonly trusted: boolean
  /** What was concluded, in words. */
  readonly why: string
}

/** What says where a request comes from. The headers may be costly to make, and are asked for only when they matter. */
type Sender = Pick<RequestView, 'ip' | 'headers'>

/** Finds the client of a request: the nearest hop that is not trusted to speak for others. */
export interface ClientIp {
  resolve(sender: Sender): ClientAddress
  /** The client of a request whose address is given, not found. */
  given(ip: string): ClientAddress
  /** Whether a header of the request names another client than the peer, believed or not. */
  namesAnother(headers: HeaderBag, peer: string | undefined): boolean
  /** What shows that the peer is a proxy. */
  readonly proxySign: ProxySigns
  /** The same walk, told hop by hop, the socket peer first. The last hop that has an address is the client. */
  walk(sender: Sender): Hop[]
}

/**
 * Compiles the options into a finder of clients.
 *
 * @throws HaltError `HALT_E_TRUSTED_PROXIES`, `HALT_E_CLIENT_IP_HEADER`
 */
export function compileClientIp(options: ClientIpOptions): ClientIp {
  const isTrusted = compileTrust(options.trustedProxies)
  const source = compileHeader(options.clientIpHeader)
  const dialect = dialectOf(source)
  const recall = memoOf(options.ipv6Prefix ?? 56)
  const names = [...new Set([source, ...FORWARDING_HEADERS])]

  function follow(sender: Sender, trail?: Hop[]): ClientAddress {
    const peer = sender.ip
    const start = peer === undefined ? undefined : recall(peer)
    if (start === undefined) {
      trail?.push(hop(peer ?? '', undefined, false, 'the socket has no IP address'))
      return NOBODY
    }
    const trusted = isTrusted(start.address, 0)
    trail?.push(hop(peer ?? '', start.address, trusted, trusted ? PEER_TRUSTED : PEER_UNTRUSTED))
    return trusted ? walkHeader(start, sender.headers, trail).trusted : start.untrusted
  }

  function walkHeader(peer: Known, headers: HeaderBag, trail: Hop[] | undefined): Known {
    const { nearestFirst, cut } = readEntries(readHeader(headers, source), dialect)
    let client = peer
    let number = 0
    for (const { text, address } of nearestFirst) {
      const known = address === undefined ? undefined : recall(address)
      if (known === undefined) {
        trail?.push(
          hop(text, undefined, false, `${source} names no address here: the hop before it is the client`),
        )
        return client
      }
      client = known
      // A header of one address names the client, whoever that is.
      const trusted = dialect !== 'single' && isTrusted(known.address, ++number)
      trail?.push(hop(text, known.address, trusted, `named by ${source}, ${trusted ? IS_PROXY : IS_CLIENT}`))
      if (!trusted) return client
    }
    if (cut) trail?.push(hop('…', undefined, false, `${source} names more hops than are read`))
    return client
  }

  return {
    resolve: sender => follow(sender),
    given: ip => recall(ip)?.untrusted ?? NOBODY,
    namesAnother: (headers, peer) => names.some(name => ![undefined, peer].includes(textOf(headers, name))),
    proxySign: proxySigns(source),
    walk(sender) {
      const trail: Hop[] = []
      follow(sender, trail)
      return trail
    },
  }
}

const IS_PROXY = 'in trustedProxies: the hop it speaks for comes next, or it is the client itself'
const IS_CLIENT = 'the client'
const PEER_TRUSTED = `the socket peer, ${IS_PROXY}`
const PEER_UNTRUSTED = 'the socket peer, not in trustedProxies: the client, whatever the headers say'

function hop(address: string, parsed: Address | undefined, trusted: boolean, why: string): Hop {
  return { address, parsed, trusted, why }
}

function textOf(headers: HeaderBag, name: string): string | undefined {
  const value = readHeader(headers, name)
  return value === undefined || typeof value === 'string' ? value : value.join(', ')
}

// An address and the answers that may be given about it, made once, so that a known client costs no garbage.
interface Known {
  readonly address: Address
  readonly trusted: ClientAddress
  readonly untrusted: ClientAddress
}

const HOW = 'the client address'
const NOBODY: ClientAddress = Object.freeze({
  address: undefined,
  key: Object.freeze({ subject: UNKNOWN_ADDRESS, how: HOW, unverified: false }),
  isPrivate: false,
  trusted: false,
})

// Memos of pure functions: one a prefix for all limiters of the process, so that their size is paid once.
const memos: ((text: string) => Known | undefined)[] = []

function memoOf(ipv6Prefix: number): (text: string) => Known | undefined {
  return (memos[ipv6Prefix] ??= memo(ipv6Prefix))
}

function memo(ipv6Prefix: number): (text: string) => Known | undefined {
  const recent = new Memo<Known>(4096)
  return text => {
    const known = recent.get(text)
    if (known !== undefined) return known
    const address = parseAddress(text)
    if (address === undefined) return undefined
    const key = Object.freeze({
      subject: `ip:${maskAddress(address, ipv6Prefix)}`,
      how: HOW,
      unverified: false,
    })
    const own = isPrivate(address)
    // Written out: in a flood of new addresses, spreading these took as long as all the rest of a check.
    const fresh: Known = {
      address,
      trusted: Object.freeze({ address, key, isPrivate: own, trusted: true }),
      untrusted: Object.freeze({ address, key, isPrivate: own, trusted: false }),
    }
    recent.set(text, fresh)
    return fresh
  }
}

function compileTrust(proxies: TrustedProxies | undefined): (address: Address, hop: number) => boolean {
  if (proxies === undefined) return () => false
  if (typeof proxies === 'function') {
    return (address, hop) => {
      try {
        // Exactly true: the promise of an async function is truthy, and would trust everybody.
        const trusted: unknown = proxies(address.text, hop)
        return isStrayPromise(trusted) ? false : trusted === true
      } catch {
        return false
      }
    }
  }
  const networks = parseNetworks(proxies, 'HALT_E_TRUSTED_PROXIES')
  return address => networks.contains(address)
}

function compileHeader(name: string | undefined): string {
  if (name === undefined) return 'x-forwarded-for'
  if (typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name.toLowerCase()
  throw new HaltError(
    'HALT_E_CLIENT_IP_HEADER',
    `clientIpHeader is ${describe(name)}, not the name of a header.`,
    'Name the header your proxy sets, e.g. clientIpHeader: "x-forwarded-for", "forwarded" or "cf-connecting-ip".',
  )
}
