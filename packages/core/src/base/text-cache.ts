import { detach } from './memo.ts'

const SLOTS = 8192
/** So many of the last characters of a text choose its place. */
const LAST = 10

/**
 * A cache from texts to values with a fixed number of places. It keeps a text when it comes for the second time, so a flood of
 * new texts allocates nothing that lives long, and costs the collector nothing.
 *
 * A text has one place, which its length and its last characters choose. Texts of one place replace each other. A client that
 * makes texts collide only makes the cache useless.
 */
export class TextCache<V extends object> {
  // By place: the hash of the text that came last, the text that is kept, and its value.
  readonly #seen = new Int32Array(SLOTS)
  readonly #texts: string[] = []
  readonly #values: V[] = []

  get(text: string): V | undefined {
    if (this.#texts.length === 0) return undefined
    const place = hashOf(text) & (SLOTS - 1)
    return this.#texts[place] === text ? this.#values[place] : undefined
  }

  set(text: string, value: V): void {
    const hash = hashOf(text)
    const place = hash & (SLOTS - 1)
    if (this.#seen[place] !== hash) {
      this.#seen[place] = hash
      return
    }
    if (this.#texts.length === 0) this.#makePlaces(value)
    this.#texts[place] = detach(text)
    this.#values[place] = value
  }

  // Made late, so that a cache that nobody needs takes little memory.
  #makePlaces(value: V): void {
    for (let i = 0; i < SLOTS; i++) {
      this.#texts.push('')
      this.#values.push(value)
    }
  }
}

function hashOf(text: string): number {
  const { length } = text
  let hash = length
  for (let i = length > LAST ? length - LAST : 0; i < length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash ^ (hash >>> 15)
}
