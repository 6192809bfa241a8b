import { describe } from './describe.ts'
import { HaltError } from './errors.ts'
import type { Warn } from './warnings.ts'
import { hmacSha256, sha256 } from './sha256.ts'

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
