// The libraries that Halt uses, for runtimes other than Node. node.mjs and its neighbours have the same exports.
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import ipaddr from 'ipaddr.js'

/** SHA-256 and its HMAC, in JavaScript. */
export interface Hashes {
  sha256(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
}

/** Hashes for runtimes whose own are asynchronous. Undefined where Node's own are always there. */
export function hashes(): Hashes | undefined {
  return { sha256: data => sha256(data), hmacSha256: (key, data) => hmac(sha256, key, data) }
}

/** `ipaddr.js`. In Node the first call loads it. */
export function addresses(): typeof ipaddr {
  return ipaddr
}

/** Has Node load what the first request may need, before there is one. */
export function prepare(): void {}
