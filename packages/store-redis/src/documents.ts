import {
  isVersion,
  NEVER_WRITTEN,
  type StoreDocument,
  versionAfter,
  type VersionedText,
} from '@halt/core/store'

import { type Connection, toStoreError } from './connection/index.ts'
import { readText, readWholeNumber, unexpectedReply } from './reply-value.ts'
import { document } from './scripts.ts'

/** A document in Redis: a hash of its version and its text, which never expires. */
export class RedisDocument implements StoreDocument {
  readonly #connection: Connection
  readonly #key: string
  readonly #onRead: () => void

  /** @param onRead called at each read, which is a sign of life of the process */
  constructor(connection: Connection, key: string, onRead: () => void) {
    this.#connection = connection
    this.#key = key
    this.#onRead = onRead
  }

  async read(since?: string): Promise<VersionedText | undefined> {
    const reply = await this.#run([since ?? ''])
    this.#onRead()
    if (!Array.isArray(reply)) {
      if (readWholeNumber(reply) === 0 && since !== undefined) return undefined
      throw unexpectedReply(reply)
    }
    const version = readText(reply[0])
    if (!isVersion(version) || reply.length !== 2) throw unexpectedReply(reply)
    return version === NEVER_WRITTEN.version ? NEVER_WRITTEN : { version, text: readText(reply[1]) }
  }

  async write(text: string, since: string): Promise<string | undefined> {
    const next = versionAfter(since)
    const reply = await this.#run([since, text, next])
    const written = readWholeNumber(reply)
    if (written === 0) return undefined
    if (written === 1) return next
    throw unexpectedReply(reply)
  }

  async #run(args: readonly string[]): Promise<unknown> {
    try {
      await this.#connection.opened
      return await this.#connection.run(document, [this.#key], ['', ...args])
    } catch (error) {
      throw toStoreError(error)
    }
  }
}
