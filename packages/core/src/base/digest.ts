import { hashes } from '#libraries'
import { Memo } from './bounded-memory.ts'
import { describe, HaltError } from './errors.ts'
import type { Warn } from './warnings.ts'

/** Makes a text's stand-in: 128 bits of SHA-256, base64url (22 characters). */
export type Digest = (text: string) => string

/**
 * Makes a digest: an HMAC when there is a `secret`, so that who can read the store cannot test guesses.
 *
 * @param warn is told of a secret that can itself be guessed
 * @throws HaltError `HALT_E_SECRET` when the secret is no text, or an empty one
 */
export function makeDigest(secret?: string, warn?: Warn): Digest {
  if (secret === undefined) return text => encode(sha256(bytes(text)))
  if (typeof secret !== 'string' || secret === '') {
    const what = secret === '' ? 'empty' : describe(secret)
    throw new HaltError('HALT_E_SECRET', `secret is ${what}.`, 'Give a random text of 16 characters or more.')
  }
  if (secret.length < LONG_ENOUGH) {
    const message = `secret has ${secret.length} characters: who can read the store can guess it, and with it the keys.`
    warn?.({ code: 'HALT_W_SECRET', message, fix: 'Give a random text of 16 characters or more.' })
  }
  const key = bytes(secret)
  return text => encode(hmacSha256(key, bytes(text)))
}

// UTF-8 maps every lone surrogate to one replacement character: such a text is digested by its code units instead,
// behind a byte that no UTF-8 text begins with.
function bytes(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text)
  const units = new Uint8Array(1 + 2 * text.length)
  units[0] = 0xff
  for (let i = 0; i < text.length; i++) {
    units[1 + 2 * i] = text.charCodeAt(i) >>> 8
    units[2 + 2 * i] = text.charCodeAt(i) & 0xff
  }
  return units
}

const LONG_ENOUGH = 16
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function encode(hash: Uint8Array): string {
  let text = ''
  for (let i = 0; i < 16; i += 3) {
    const word = (hash[i]! << 16) | (i < 15 ? (hash[i + 1]! << 8) | hash[i + 2]! : 0)
    text += ALPHABET[word >>> 18]! + ALPHABET[(word >>> 12) & 63]!
    if (i < 15) text += ALPHABET[(word >>> 6) & 63]! + ALPHABET[word & 63]!
  }
  return text
}

/** A hash under way, as `node:crypto` has it. */
interface Hashing {
  update(data: Uint8Array): Hashing
  digest(): Uint8Array
}

/** The part of `node:crypto` that is used here. */
interface PlatformCrypto {
  createHash(algorithm: 'sha256'): Hashing
  createHmac(algorithm: 'sha256', key: Uint8Array): Hashing
}

let isAsked = false
let crypto: PlatformCrypto | undefined

/**
 * Node's own crypto, which Deno, Bun and Workers with `nodejs_compat` have too: 1 MB takes it 2 ms, in JavaScript 15 ms. Asked for
 * at the first use, because loading it takes milliseconds.
 */
function platform(): PlatformCrypto | undefined {
  if (isAsked) return crypto
  isAsked = true
  const { process } = globalThis as unknown as {
    process?: { getBuiltinModule?(name: 'crypto'): PlatformCrypto | undefined }
  }
  crypto = process?.getBuiltinModule?.('crypto')
  return crypto
}

/** SHA-256. */
export function sha256(data: Uint8Array): Uint8Array {
  const native = platform()
  return native === undefined ? hashes()!.sha256(data) : native.createHash('sha256').update(data).digest()
}

/** HMAC-SHA-256. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const native = platform()
  return native === undefined
    ? hashes()!.hmacSha256(key, data)
    : native.createHmac('sha256', key).update(data).digest()
}

/** How many partition keys are remembered. */
const REMEMBERED = 1000

/**
 * Makes the function that turns a key into its partition key, which the `draft-8` headers show in place of the key.
 *
 * The format is the one of express-rate-limit: base64 of the first 12 hexadecimal digits of the key's digest.
 */
export function makePartitionOf(digest: Digest): (key: string) => string {
  let recent: Memo<string> | undefined
  return key => {
    recent ??= new Memo(REMEMBERED)
    const known = recent.get(key)
    if (known !== undefined) return known
    const partition = btoa(firstDigits(digest(key)))
    recent.set(key, partition)
    return partition
  }
}

/** The first 12 hexadecimal digits of a digest. They are 48 bits, so 8 characters of base64url hold them. */
function firstDigits(digest: string): string {
  const bytes = atob(digest.slice(0, 8).replaceAll('-', '+').replaceAll('_', '/'))
  return Array.from(bytes, byte => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

/**
 * Hashes a text to a number below 2^32, evenly spread: FNV-1a with the finaliser of MurmurHash3. Used to divide keys and to
 * estimate how many there are. The hash is predictable, so nothing that a client could profit from may depend on it.
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
