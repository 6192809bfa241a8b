import { BriefMemo } from '../base/bounded-memory.ts'
import type { Digest } from '../base/digest.ts'
import { readId } from '../base/callbacks.ts'
import {
  type Identity,
  subjectOf,
  userIn,
  apiKeySubject,
  type FoundKey,
  namePart,
  type Subject,
} from './identity.ts'

/** An id, and its key. */
interface Known {
  readonly id: string
  readonly key: FoundKey
}

/**
 * Makes the keys of ids and of API keys. It remembers the last id alone, because most ids are quicker to read than to look up.
 *
 * API keys are digested, so they have a memo. They are secrets: it forgets each within a second.
 */
export class KeyMaker {
  readonly #digest: Digest
  readonly #ipv6Prefix: number
  readonly #apiKeys = new BriefMemo<Subject>()
  #user: Known | undefined
  #custom: Known | undefined

  /** @param ipv6Prefix how many bits of an IPv6 address are one client */
  constructor(digest: Digest, ipv6Prefix: number) {
    this.#digest = digest
    this.#ipv6Prefix = ipv6Prefix
  }

  /** The key of a user's id. */
  user(id: string): FoundKey {
    if (this.#user?.id !== id) this.#user = this.#make('user', id, 'the user id')
    return this.#user.key
  }

  /** The key of an id of the application's own choice. */
  custom(id: string): FoundKey {
    if (this.#custom?.id !== id) this.#custom = this.#make('custom', id, 'the key extractor')
    return this.#custom.key
  }

  /** The subject of an API key. It holds a digest. */
  apiKey(key: string): Subject {
    let subject = this.#apiKeys.get(key)
    if (subject === undefined) this.#apiKeys.set(key, (subject = apiKeySubject(key, this.#digest)))
    return subject
  }

  /** The subject of an identity. @throws HaltError `HALT_E_IDENTITY` */
  subjectOf(identity: Identity): Subject {
    if (typeof identity === 'string') {
      if (readId(identity) !== undefined) return this.custom(identity).subject
    } else {
      const user = userIn(identity)
      if (user !== undefined) return this.user(user).subject
    }
    return subjectOf(identity, 'custom', this.#digest, this.#ipv6Prefix)
  }

  #make(kind: string, id: string, how: string): Known {
    return { id, key: { subject: `${kind}:${namePart(id, this.#digest)}`, how, unverified: false } }
  }
}
