import { BriefMemo } from '../base/brief-memo.ts'
import type { Digest } from '../base/digest.ts'
import { readId } from '../base/callbacks.ts'
import { TextCache } from '../base/text-cache.ts'
import { type Identity, subjectOf, userIn } from './identity.ts'
import { apiKeySubject, type FoundKey, namePart, type Subject } from './subject.ts'

// Ten thousand clients in turn are all remembered.
const MAX_IDS = 32_768
const LONGEST = 128

/**
 * Makes the keys of ids and of API keys, and remembers the latest, so that a known client costs one look-up.
 *
 * API keys are secrets: their memo forgets each within a second. Ids are not: the counters hold them in clear anyway.
 */
export class KeyMaker {
  readonly #digest: Digest
  readonly #ipv6Prefix: number
  readonly #users = new TextCache<FoundKey>(MAX_IDS)
  readonly #customs = new TextCache<FoundKey>(MAX_IDS)
  readonly #apiKeys = new BriefMemo<Subject>()

  /** @param ipv6Prefix how many bits of an IPv6 address are one client */
  constructor(digest: Digest, ipv6Prefix: number) {
    this.#digest = digest
    this.#ipv6Prefix = ipv6Prefix
  }

  /** The key of a user's id. */
  user(id: string): FoundKey {
    return this.#users.get(id) ?? this.#make(this.#users, 'user', id, 'the user id')
  }

  /** The key of an id of the application's own choice. */
  custom(id: string): FoundKey {
    return this.#customs.get(id) ?? this.#make(this.#customs, 'custom', id, 'the key extractor')
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

  #make(cache: TextCache<FoundKey>, kind: string, id: string, how: string): FoundKey {
    const key = { subject: `${kind}:${namePart(id, this.#digest)}`, how, unverified: false }
    // A long id is digested, and must not fill the memory.
    if (id.length <= LONGEST) cache.set(id, key)
    return key
  }
}
