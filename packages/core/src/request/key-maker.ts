import { BriefMemo } from '../base/brief-memo.ts'
import type { Digest } from '../base/digest.ts'
import { TextCache } from '../base/text-cache.ts'
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
  readonly #users = new TextCache<FoundKey>(MAX_IDS)
  readonly #customs = new TextCache<FoundKey>(MAX_IDS)
  readonly #apiKeys = new BriefMemo<Subject>()

  constructor(digest: Digest) {
    this.#digest = digest
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

  #make(cache: TextCache<FoundKey>, kind: string, id: string, how: string): FoundKey {
    const key = { subject: `${kind}:${namePart(id, this.#digest)}`, how, unverified: false }
    // A long id is digested, and must not fill the memory.
    if (id.length <= LONGEST) cache.set(id, key)
    return key
  }
}
