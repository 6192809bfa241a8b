import { createHash } from 'node:crypto'

/**
 * Names a client in the documents that watchers share, so that its key does not stand there in clear: 128 bits of SHA-256. The command
 * line makes the same.
 */
export function tokenOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, LENGTH)
}

const LENGTH = 22

/** Whether a value that was read may be a token. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length === LENGTH
}
