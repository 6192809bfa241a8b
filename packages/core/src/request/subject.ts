import type { Digest } from '../base/digest.ts'

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
