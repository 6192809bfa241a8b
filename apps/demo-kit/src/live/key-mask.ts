import { createHmac, randomBytes } from 'node:crypto'

const KIND = /^(ip|user|api-key|custom)(?=:)/

/**
 * Shows keys as digests: `user #1f0a9c3b`. The process makes a secret of its own, so nobody can find the key of a digest.
 * The same key has the same digest in all tables.
 */
export class KeyMask {
  readonly #secret = randomBytes(32)

  hide(key: string): string {
    const digest = createHmac('sha256', this.#secret).update(key, 'utf8').digest('hex').slice(0, 8)
    return `${KIND.exec(key)?.[0] ?? 'key'} #${digest}`
  }
}
