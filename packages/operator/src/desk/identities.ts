import { BlockList, isIP } from 'node:net'
import type { Identity } from '@halt/core'
import { describe } from '@halt/core/http'

import { badRequest } from '../answer.ts'

/** Whom a call is about: an identity, or a key as any tool shows it, in clear or as this page's digest. */
export type Whom = Exclude<Identity, string> | string

const IDS = ['user', 'ip', 'apiKey', 'custom'] as const

/** The longest id that is read, in characters. */
const LONGEST_ID = 2_048

/**
 * Reads whom a call is about. The limiters check whether it is an identity.
 *
 * @throws HaltError `HALT_E_OPERATOR`
 */
export function readWhom(value: unknown): Whom {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const isWhom =
    fields.length > 0 &&
    fields.every(
      ([name, id]) =>
        (IDS as readonly string[]).includes(name) && typeof id === 'string' && id.length <= LONGEST_ID,
    )
  if (isWhom || (typeof value === 'string' && value.length <= LONGEST_ID)) return value as Whom
  throw badRequest(`whom is ${describe(value)}, which names nobody.`, FORMS)
}

/** How a call names a client. */
export const FORMS =
  'Give { user: "42" }, { ip: "203.0.113.7" }, { apiKey: "…" }, { custom: "…" }, { user: "42", ip: "203.0.113.7" } for the counters of both together, or a key as a decision or a tool shows it: "custom:acme".'

/** The id alone of an id with an address. Most policies count one of the two. Undefined for every other identity. */
export function withoutAddress(identity: Identity): Identity | undefined {
  if (typeof identity === 'string' || !('ip' in identity)) return undefined
  const { ip: _, ...id } = identity
  return Object.keys(id).length === 0 ? undefined : (id as Identity)
}

/** Whether a text is a network, such as `203.0.113.0/24`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  return isIP(address) !== 0 && /^\d+$/.test(bits)
}

/** Whether an address is in a network, or equals an address. */
export function contains(networkOrAddress: string, address: string): boolean {
  const [base = '', bits] = networkOrAddress.split('/')
  const [version, other] = [isIP(base), isIP(address)]
  if (version === 0 || version !== other) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  try {
    list.addSubnet(base, Number(bits ?? (version === 4 ? 32 : 128)), family)
    return list.check(address, family)
  } catch {
    return false
  }
}
