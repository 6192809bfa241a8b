import type { StoreDocument } from '@halt/core/store'

/** The used part of a document. */
type Document = Pick<StoreDocument, 'read' | 'write'>

/** How often the document of a page that somebody watches is written, in milliseconds. */
const RENEW_MS = 10_000
/** How long somebody counts as watching after the last sign, in milliseconds. */
const WATCHED_MS = 30_000

/**
 * Tells all processes that somebody watches. The process that answers a page writes a document every ten seconds, and the others see
 * that its version grows. So nobody compares clocks.
 */
export class Presence {
  readonly #document: Document
  #version: string | undefined
  #until = 0
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(document: Document) {
    this.#document = document
  }

  /** Whether somebody watches some process. */
  isWatched(now: number): boolean {
    return now < this.#until
  }

  /** Somebody watches this process. */
  async seen(now: number): Promise<void> {
    this.#until = now + WATCHED_MS
    if (now - this.#renewedAt < RENEW_MS) return
    this.#renewedAt = now
    const found = await this.#document.read()
    // If another process wrote meanwhile, it has told the same.
    const version = await this.#document.write(String(now), found?.version ?? '0')
    if (version !== undefined) this.#version = version
  }

  /** Looks whether somebody watches another process. The first look only learns the version. */
  async look(now: number): Promise<void> {
    const found = await this.#document.read(this.#version)
    if (found === undefined) return
    if (this.#version !== undefined) this.#until = now + WATCHED_MS
    this.#version = found.version
  }
}
