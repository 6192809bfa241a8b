import { isNetwork } from './entries.ts'

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
