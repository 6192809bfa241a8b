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

const { process } = globalThis as unknown as {
  process?: { getBuiltinModule?(name: 'crypto'): PlatformCrypto }
}
// Not an import: core is built for every runtime, and this file is loaded under the package condition "node" alone.
const crypto = process?.getBuiltinModule?.('crypto') as PlatformCrypto

/** SHA-256 by Node's own crypto: 1 MB takes 2 ms, in JavaScript 15 ms. */
export function sha256(data: Uint8Array): Uint8Array {
  return crypto.createHash('sha256').update(data).digest()
}

/** HMAC-SHA-256 by Node's own crypto. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return crypto.createHmac('sha256', key).update(data).digest()
}
