import { hmac as hmacOfNoble } from '@noble/hashes/hmac.js'
import { sha256 as sha256OfNoble } from '@noble/hashes/sha2.js'

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

interface Host {
  process?: { getBuiltinModule?: (name: string) => PlatformCrypto | undefined }
}

// Below it a call into the platform costs more than JavaScript needs for the whole hash.
const LONG = 512

/** SHA-256: by the platform for long data, where it has a synchronous one; 1 MB takes 15 ms in JavaScript, 2 ms there. */
export function sha256(data: Uint8Array): Uint8Array {
  return (
    (data.length < LONG ? undefined : platformCrypto()?.createHash('sha256').update(data).digest()) ??
    sha256OfNoble(data)
  )
}

/** HMAC-SHA-256, as {@link sha256}. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return (
    (data.length < LONG ? undefined : platformCrypto()?.createHmac('sha256', key).update(data).digest()) ??
    hmacOfNoble(sha256OfNoble, key, data)
  )
}

// Without the prefix of Node's modules: bundlers for other runtimes must find none. Asked each time, because it is quick
// beside the hash of long data.
function platformCrypto(): PlatformCrypto | undefined {
  try {
    return (globalThis as Host).process?.getBuiltinModule?.('crypto')
  } catch {
    return undefined
  }
}
