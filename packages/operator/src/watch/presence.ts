import type { StoreDocument } from '@halt/core/store'

import { isToken } from './token.ts'

/** The used part of a document. */
type Document = Pick<StoreDocument, 'read' | 'write'>

/** How often the document of a page that somebody watches is written, in milliseconds. */
const RENEW_MS = 10_000
/** How long somebody counts as watching after the last sign, in milliseconds. */
const WATCHED_MS = 30_000
/** How many clients may be looked at, by all pages together. Later ones replace earlier ones. */
const MOST_LOOKED_AT = 16
/** How often a look is written while other pages write theirs. */
const ATTEMPTS = 3

/**
 * Tells all processes that somebody watches, and at which clients. The process that answers a page writes a document every ten seconds,
 * and the others see that its version grows. So nobody compares clocks.
 */
export class Presence {
  readonly #document: Document
  #version: string | undefined
  #until = 0
  #renewedAt = Number.NEGATIVE_INFINITY
  #tokens: readonly string[] = []

  constructor(document: Document) {
    this.#document = document
  }

  /** Whether somebody watches some process. */
  isWatched(now: number): boolean {
    return now < this.#until
  }

  /** The tokens of the clients at which somebody looks. */
  get tokens(): readonly string[] {
    return this.#tokens
  }

  /** Somebody watches this process. */
  async seen(now: number): Promise<void> {
    this.#until = now + WATCHED_MS
    if (now - this.#renewedAt < RENEW_MS) return
    this.#renewedAt = now
    await this.#write([])
  }

  /** Somebody looks at a client, so that the other processes tell what they know of it. @param tokens those of its keys */
  async lookAt(tokens: readonly string[], now: number): Promise<void> {
    this.#until = now + WATCHED_MS
    const last = this.#tokens.slice(-tokens.length)
    if (tokens.every((token, i) => token === last[i])) return
    this.#renewedAt = now
    await this.#write(tokens)
  }

  /** Looks whether somebody watches another process. The first look only learns the version. */
  async look(now: number): Promise<void> {
    const found = await this.#document.read(this.#version)
    if (found === undefined) return
    if (this.#version !== undefined) this.#until = now + WATCHED_MS
    this.#version = found.version
    this.#tokens = tokensIn(found.text)
  }

  async #write(added: readonly string[]): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const found = await this.#document.read()
      const known = tokensIn(found?.text ?? '').filter(token => !added.includes(token))
      const tokens = [...known, ...added].slice(-MOST_LOOKED_AT)
      const version = await this.#document.write(JSON.stringify({ tokens }), found?.version ?? '0')
      if (version === undefined) continue
      this.#version = version
      this.#tokens = tokens
      return
    }
  }
}

/** The tokens in a document; none if it is broken or of another version. */
function tokensIn(text: string): string[] {
  try {
    const { tokens } = JSON.parse(text) as { tokens?: unknown }
    return Array.isArray(tokens) ? tokens.filter(isToken).slice(-MOST_LOOKED_AT) : []
  } catch {
    return []
  }
}
