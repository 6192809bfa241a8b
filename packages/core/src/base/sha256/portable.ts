import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as hash } from '@noble/hashes/sha2.js'

/** SHA-256 in JavaScript, for runtimes whose own is asynchronous: browsers, Workers, Deno. */
export function sha256(data: Uint8Array): Uint8Array {
  return hash(data)
}

/** HMAC-SHA-256 in JavaScript. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(hash, key, data)
}
