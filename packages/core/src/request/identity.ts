import { describe } from '../duration.ts'
import type { Digest } from '../digest.ts'
import { HaltError } from '../errors.ts'
import { parseAddress } from './address.ts'
import { maskAddress } from './address-key.ts'

/**
 * Whom a call is about, without a request. A bare string is data, never parsed: `{ custom }` for a limiter, `{ user }`
 * for quotas and penalties.
 */
export type Identity =
  | { readonly user: string | number }
  | { readonly ip: string }
  | { readonly apiKey: string }
  | { readonly custom: string }
  | string

/** Names whose counter it is: `ip:203.0.113.7`, `user:42`, `api-key:#…`. Unequal principals never get equal names. */
export type Subject = string

/** A key that was found: whose counter, and whether somebody vouches for it. */
export interface FoundKey {
  readonly subject: Subject
  /** In words, for `explain()`. */
  readonly how: string
  /** An API key that nobody verified: anybody may invent another. */
  readonly unverified: boolean
}

/** The subject of all requests that have no address. */
export const UNKNOWN_ADDRESS: Subject = 'ip:unknown'
/** The subject of a policy that everybody shares. */
export const SHARED: Subject = 'shared'

const MAX_ID = 128
// Control characters, and the two forms that stand for something else in a subject.
const SPECIAL = /^#|\+ip:|[\u0000-\u001f\u007f]/

/**
 * Reads an id that a callback gave: text or a number. Anything else, and text of white space only, is no id.
 */
export function readId(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** A part of a subject: the id itself, or `#` and its digest where the id is long or could be read as something else. */
export function namePart(id: string, digest: Digest): string {
  const plain =
    id.length <= MAX_ID && !SPECIAL.test(id) && id.isWellFormed() && (isShort(id) || utf8Length(id) <= MAX_ID)
  return plain ? id : `#${digest(id)}`
}

/**
 * The subject that a request of this identity is counted under.
 *
 * @throws HaltError `HALT_E_IDENTITY` when it names nobody
 */
export function subjectOf(
  identity: Identity,
  bare: 'custom' | 'user',
  digest: Digest,
  ipv6Prefix: number,
): Subject {
  if (typeof identity === 'string')
    return subjectOf({ [bare]: identity } as Identity, bare, digest, ipv6Prefix)
  if (typeof identity !== 'object' || identity === null)
    throw nobody(`The identity is ${describe(identity)}.`)
  if ('headers' in identity) throw nobody('The identity is a request.', 'For a request ask check(request). ')
  const given = Object.entries(identity).filter(([, id]) => id !== undefined)
  const [kind, value] = given.length === 1 ? (given[0] as [string, unknown]) : []
  if (kind === 'ip' && typeof value === 'string') {
    const address = parseAddress(value)
    if (address !== undefined) return `ip:${maskAddress(address, ipv6Prefix)}`
  }
  const id = readId(value)
  if (id !== undefined && kind === 'user') return `user:${namePart(id, digest)}`
  if (id !== undefined && kind === 'custom') return `custom:${namePart(id, digest)}`
  if (id !== undefined && kind === 'apiKey') return apiKeySubject(id, digest)
  if (given.length === 0) throw nobody('The identity is an object that names nobody.')
  throw nobody(
    given.length > 1
      ? `The identity has ${given.map(([name]) => name).join(' and ')}, and may have one of them.`
      : `The identity's ${kind} is ${describe(value)}.`,
  )
}

function nobody(message: string, advice = ''): HaltError {
  const fix = `${advice}Give { user: "42" }, { ip: "203.0.113.7" }, { apiKey: "…" } or { custom: "…" }.`
  return new HaltError('HALT_E_IDENTITY', message, fix)
}

/** The subject of an API key: always its digest, so that a key is never stored, logged or sent. */
export function apiKeySubject(key: string, digest: Digest): Subject {
  return `api-key:#${digest(key)}`
}

/** Whether a value has the shape of an {@link Identity}, not of a request: one kind and its text. */
export function isIdentity(value: unknown): value is Identity {
  if (typeof value === 'string') return true
  if (typeof value !== 'object' || value === null) return false
  const given = Object.entries(value).filter(([, id]) => id !== undefined)
  const [kind, id] = given[0] ?? []
  // A request in a test may have nothing but a user: an object.
  return given.length === 1 && KINDS.has(kind as string) && (typeof id !== 'object' || id === null)
}

const KINDS = new Set(['user', 'ip', 'apiKey', 'custom'])

// Up to 42 characters are at most 126 bytes in UTF-8: no need to count.
function isShort(id: string): boolean {
  return id.length <= 42
}

function utf8Length(id: string): number {
  return new TextEncoder().encode(id).length
}
