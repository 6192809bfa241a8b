import type { Digest } from './digest.ts'
import { Memo } from './memo.ts'

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
