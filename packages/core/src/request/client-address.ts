import { prepare } from '#libraries'
import { TextCache } from '../base/text-cache.ts'
import { type Address, isPrivate, parseAddress } from './address.ts'
import { maskAddress } from './address-key.ts'
import { type FoundKey, UNKNOWN_ADDRESS } from './subject.ts'

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
export class KnownAddress {
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
export const NO_ADDRESS: ClientAddress = Object.freeze({
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
export function addressReader(ipv6Prefix: number): AddressReader {
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
