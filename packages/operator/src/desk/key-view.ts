import { isIP } from 'node:net'

const KIND = /^(ip|user|api-key|custom)(?=:)/

/**
 * Writes keys as a page shows them: in clear, or as digests such as `user #Kx3_a9Qz`, and `user+ip #…`
 * for a user and an address together. These are the first digits of the digest by
 * which logs name the key, so the same key has the same digest on every page and in every process.
 */
export class KeyView {
  readonly #partitionOf: (key: string) => string
  readonly #isClear: boolean

  /** @param partitionOf the method of a limiter */
  constructor(partitionOf: (key: string) => string, isClear: boolean) {
    this.#partitionOf = partitionOf
    this.#isClear = isClear
  }

  show(key: string): string {
    if (this.#isClear || isNetworkOfMany(key)) return key
    const kind = KIND.exec(key)?.[0] ?? 'key'
    return `${kind}${key.includes('+ip:') ? '+ip' : ''} #${this.#digest(key)}`
  }

  // A partition key is the base64 of the hexadecimal digits of the first bytes of the digest, which logs write as base64url.
  #digest(key: string): string {
    const hex = Buffer.from(this.#partitionOf(key), 'base64').toString('latin1')
    return Buffer.from(hex, 'hex').toString('base64url')
  }
}

/** Whether a key is a network of several addresses, so that it names nobody. */
function isNetworkOfMany(key: string): boolean {
  const [address = '', bits] = key.split('/')
  const version = isIP(address)
  return version !== 0 && bits !== undefined && Number(bits) < (version === 4 ? 32 : 64)
}
