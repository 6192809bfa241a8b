import { readId } from '../base/callbacks.ts'
import { describe } from '../base/duration.ts'
import type { Digest } from '../base/digest.ts'
import { HaltError } from '../base/errors.ts'
import { parseAddress } from './address.ts'
import { maskAddress } from './address-key.ts'

/** Whose requests share a counter. */
export const KeyStrategy = {
  IP: 'ip',
  USER: 'user',
  API_KEY: 'api-key',
  COMPOSITE: 'composite',
  SHARED: 'shared',
  CUSTOM: 'custom',
} as const
export type KeyStrategy = (typeof KeyStrategy)[keyof typeof KeyStrategy]

/**
 * Whom a call is about, without a request. The last two objects name the counters of `composite` policies.
 *
 * A bare string is data, never parsed: `{ custom }` for a limiter, what its `keyStrategy` counts for a quota (`{ user }` by
 * default), `{ user }` for a penalty.
 */
export type Identity =
  | { readonly user: string | number }
  | { readonly ip: string }
  | { readonly apiKey: string }
  | { readonly custom: string }
  | { readonly user: string | number; readonly ip: string }
  | { readonly apiKey: string; readonly ip: string }
  | string

/** Which ids an identity names. */
export type IdentityKind = 'user' | 'ip' | 'apiKey' | 'custom' | 'user+ip' | 'apiKey+ip'

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

/** A part of a subject: the id itself, or `#` and its digest where the id is long or could be read as something else. */
export function namePart(id: string, digest: Digest): string {
  const plain =
    id.length <= MAX_ID && !SPECIAL.test(id) && id.isWellFormed() && (isShort(id) || utf8Length(id) <= MAX_ID)
  return plain ? id : `#${digest(id)}`
}

/**
 * The subject that a request of this identity is counted under.
 *
 * @param bare which kind a bare string is
 * @throws HaltError `HALT_E_IDENTITY` when it names nobody
 */
export function subjectOf(
  identity: Identity,
  bare: Exclude<IdentityKind, 'user+ip' | 'apiKey+ip'>,
  digest: Digest,
  ipv6Prefix: number,
): Subject {
  if (typeof identity === 'string') return partOf(bare, identity, digest, ipv6Prefix)
  if (typeof identity !== 'object' || identity === null)
    throw nobody(`The identity is ${describe(identity)}.`)
  if ('headers' in identity) throw nobody('The identity is a request.', 'For a request ask check(request). ')
  const given = givenIn(identity)
  if (given.length === 0) throw nobody('The identity is an object that names nobody.')
  if (kindIn(given) === undefined && given.length > 1)
    throw nobody(
      `The identity has ${given.map(([name]) => name).join(' and ')}, which name no counter together.`,
    )
  // The address last, as in the subject of a request.
  given.sort(([a], [b]) => Number(a === 'ip') - Number(b === 'ip'))
  return given.map(([kind, value]) => partOf(kind, value, digest, ipv6Prefix)).join('+')
}

/** The kind of an identity that {@link subjectOf} accepts. */
export function kindOf(identity: Identity): IdentityKind {
  return (typeof identity === 'string' ? undefined : kindIn(givenIn(identity))) ?? 'custom'
}

/** The digest in a subject, without its `#`; undefined where the subject shows the id itself. */
export function digestIn(subject: Subject): string | undefined {
  return /^(?:user|custom|api-key):#([\w-]+)/.exec(subject)?.[1]
}

function partOf(kind: string, value: unknown, digest: Digest, ipv6Prefix: number): Subject {
  if (kind === 'ip' && typeof value === 'string') {
    const address = parseAddress(value)
    if (address !== undefined) return `ip:${maskAddress(address, ipv6Prefix)}`
  }
  const id = readId(value)
  if (id !== undefined && kind === 'user') return `user:${namePart(id, digest)}`
  if (id !== undefined && kind === 'custom') return `custom:${namePart(id, digest)}`
  if (id !== undefined && kind === 'apiKey') return apiKeySubject(id, digest)
  throw nobody(`The identity's ${kind} is ${describe(value)}.`)
}

function nobody(message: string, advice = ''): HaltError {
  const fix = `${advice}Give { user: "42" }, { ip: "203.0.113.7" }, { apiKey: "…" }, { custom: "…" }, or a user or an apiKey with an ip.`
  return new HaltError('HALT_E_IDENTITY', message, fix)
}

type Given = [kind: string, value: unknown][]

function givenIn(identity: object): Given {
  return Object.entries(identity).filter(([, id]) => id !== undefined)
}

/** The kind that these names make together; undefined where they make none. */
function kindIn(given: Given): IdentityKind | undefined {
  const names = given.map(([name]) => name)
  if (names.length === 2 && names.includes('ip'))
    names.sort((a, b) => Number(a === 'ip') - Number(b === 'ip'))
  const kind = names.join('+')
  return KINDS.has(kind) ? (kind as IdentityKind) : undefined
}

/** The subject of an API key: always its digest, so that a key is never stored, logged or sent. */
export function apiKeySubject(key: string, digest: Digest): Subject {
  return `api-key:#${digest(key)}`
}

/** Whether a value has the shape of an {@link Identity}, not of a request: one kind and its ids. */
export function isIdentity(value: unknown): value is Identity {
  if (typeof value === 'string') return true
  if (typeof value !== 'object' || value === null) return false
  const given = givenIn(value)
  // A request in a test may have nothing but a user: an object.
  return kindIn(given) !== undefined && given.every(([, id]) => typeof id !== 'object' || id === null)
}

const KINDS: ReadonlySet<string> = new Set<IdentityKind>([
  'user',
  'ip',
  'apiKey',
  'custom',
  'user+ip',
  'apiKey+ip',
])

// Up to 42 characters are at most 126 bytes in UTF-8: no need to count.
function isShort(id: string): boolean {
  return id.length <= 42
}

function utf8Length(id: string): number {
  return new TextEncoder().encode(id).length
}
