import { readId } from '../base/callbacks.ts'
import type { Digest } from '../base/digest.ts'
import { describe, HaltError } from '../base/errors.ts'
import { parseAddress, maskAddress } from './address.ts'

/**
 * Names the client that a counter belongs to: `ip:203.0.113.7`, `user:42`, `api-key:#…`. Different clients never get the same
 * name.
 */
export type Subject = string

/** The subject that a request is counted under, and how it was found. */
export interface FoundKey {
  readonly subject: Subject
  /** How it was found, in words, for `explain()`. */
  readonly how: string
  /** Whether it is an API key that nobody verified. A client can invent such a key. */
  readonly unverified: boolean
  /** The mark of the operators' entries that are known to give this client no numbers of its own. */
  plain?: object | undefined
  /** The tenant that takes a share of the subject's counter. Undefined where the subject has it alone. */
  readonly tenant?: Tenant | undefined
}

/** A tenant that shares a counter with others. */
export interface Tenant {
  readonly subject: Subject
  /** How much more than others it gets while the counter is scarce, 1 to 100. */
  readonly weight: number
}

/** The subject of all requests that have no address. */
export const UNKNOWN_ADDRESS: Subject = 'ip:unknown'
/** The subject of a policy with one counter for everybody. */
export const SHARED: Subject = 'shared'
/** The tenant of all requests that name none. */
export const NO_TENANT: Subject = 'tenant:unknown'

/** The longest id, in bytes of UTF-8, that a subject shows as it is. */
const MAX_ID = 128
/** Control characters, and the two forms with a meaning of their own in a subject: a digest and an address that follows. */
const SPECIAL = /^#|\+ip:|[\u0000-\u001f\u007f]/

/** An id as a part of a subject: the id itself, or `#` and its digest where the id is long or could be misread. */
export function namePart(id: string, digest: Digest): string {
  if (id.length > MAX_ID) return `#${digest(id)}`
  if (isSimple(id)) return id
  const plain = !SPECIAL.test(id) && id.isWellFormed() && utf8Length(id) <= MAX_ID
  return plain ? id : `#${digest(id)}`
}

/** The subject of an API key. It holds the digest, because a key must never be stored, logged or sent. */
export function apiKeySubject(key: string, digest: Digest): Subject {
  return `api-key:#${digest(key)}`
}

/** The digest in a subject, without its `#`; undefined where the subject shows the id itself. */
export function digestIn(subject: Subject): string | undefined {
  return /^(?:user|custom|api-key):#([\w-]+)/.exec(subject)?.[1]
}

/** Whether an id is printable ASCII, and cannot have a form with a meaning of its own. Nearly every id is. */
// perf: bench "limiter.consume(key)", 10 000 keys; a test holds it equal to the general rule.
function isSimple(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code < SPACE || code > TILDE || code === PLUS || code === HASH) return false
  }
  return true
}

const [SPACE, HASH, PLUS, TILDE] = [0x20, 0x23, 0x2b, 0x7e]

function utf8Length(id: string): number {
  return new TextEncoder().encode(id).length
}

/** Which requests share a counter. */
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
 * Names a client without a request. The two objects with two ids name the counters of `composite` policies.
 *
 * A bare string is never parsed. For a limiter it means `{ custom }`, for a penalty `{ user }`, and for a quota the id that its
 * `keyStrategy` counts, `{ user }` by default.
 */
export type Identity =
  | { readonly user: string | number }
  | { readonly ip: string }
  | { readonly apiKey: string }
  | { readonly custom: string }
  | { readonly user: string | number; readonly ip: string }
  | { readonly apiKey: string; readonly ip: string }
  | string

const IDS: readonly string[] = ['user', 'ip', 'apiKey', 'custom']

/** Which ids an identity names. */
export type IdentityKind = 'user' | 'ip' | 'apiKey' | 'custom' | 'user+ip' | 'apiKey+ip'

/**
 * The subject under which requests of this identity are counted.
 *
 * @param bare the kind of a bare string
 * @throws HaltError `HALT_E_IDENTITY` if it does not name a client
 */
export function subjectOf(
  identity: Identity,
  bare: Exclude<IdentityKind, 'user+ip' | 'apiKey+ip'>,
  digest: Digest,
  ipv6Prefix: number,
): Subject {
  if (typeof identity === 'string') return partOf(bare, identity, digest, ipv6Prefix)
  if (typeof identity !== 'object' || identity === null)
    throw invalid(`The identity is ${describe(identity)}.`)
  if ('headers' in identity)
    throw invalid('The identity is a request.', 'For a request call check(request). ')
  const given = givenIn(identity)
  if (given.length === 0) throw invalid('The identity is an object without an id.')
  if (kindIn(given) === undefined && given.length > 1)
    throw invalid(
      `The identity has ${given.map(([name]) => name).join(' and ')}, which together do not name a counter.`,
    )
  // The address comes last, as in the subject of a request.
  given.sort(([a], [b]) => Number(a === 'ip') - Number(b === 'ip'))
  return given.map(([kind, value]) => partOf(kind, value, digest, ipv6Prefix)).join('+')
}

/**
 * The id of an identity that names a user and nothing else. Undefined for any other, and for one that names nobody.
 *
 * perf: bench "limiter.consume"; the list of the ids that an identity names costs a third of a denied check.
 */
export function userIn(identity: Exclude<Identity, string>): string | undefined {
  if (typeof identity !== 'object' || identity === null) return undefined
  for (const name in identity) if (name !== 'user') return undefined
  return Object.hasOwn(identity, 'user') && !('headers' in identity)
    ? readId((identity as { readonly user: unknown }).user)
    : undefined
}

/** The kind of an identity that {@link subjectOf} accepts. */
export function kindOf(identity: Identity): IdentityKind {
  return (typeof identity === 'string' ? undefined : kindIn(givenIn(identity))) ?? 'custom'
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
  if (!IDS.includes(kind)) throw invalid(`An identity has no ${kind}.`)
  throw invalid(`The identity's ${kind} is ${describe(value)}.`)
}

function invalid(message: string, advice = ''): HaltError {
  const fix = `${advice}Give { user: "42" }, { ip: "203.0.113.7" }, { apiKey: "…" }, { custom: "…" }, or a user or an apiKey with an ip.`
  return new HaltError('HALT_E_IDENTITY', message, fix)
}

type Given = [kind: string, value: unknown][]

function givenIn(identity: object): Given {
  return Object.entries(identity).filter(([, id]) => id !== undefined)
}

/** The kind of an identity with these ids; undefined if there is no such kind. */
function kindIn(given: Given): IdentityKind | undefined {
  const names = given.map(([name]) => name)
  if (names.length === 2 && names.includes('ip'))
    names.sort((a, b) => Number(a === 'ip') - Number(b === 'ip'))
  const kind = names.join('+')
  return KINDS.has(kind) ? (kind as IdentityKind) : undefined
}

/** Whether a value has the shape of an {@link Identity} and not of a request. */
export function isIdentity(value: unknown): value is Identity {
  if (typeof value === 'string') return true
  if (typeof value !== 'object' || value === null) return false
  const given = givenIn(value)
  // A request in a test may have only `user`, which is then an object.
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
