import { Memo } from './memo.ts'

const PLACES = 8192
/** So many of the last characters of a text make its mark. */
const LAST = 10

/**
 * A bounded cache from texts to values. It keeps a text when it comes for the second time, so a flood of new texts allocates
 * nothing that lives long, and costs the collector nothing.
 */
export class TextCache<V extends object> {
  readonly #memo: Memo<V>
  // The marks of the texts that came once. A mark may stand for several texts; then one is kept at its first time.
  // Made with the first text, because a limiter may need none of its caches.
  #marks: Int32Array | undefined

  /** @param size the most entries that the cache keeps */
  constructor(size: number) {
    this.#memo = new Memo(size)
  }

  get(text: string): V | undefined {
    return this.#memo.get(text)
  }

  set(text: string, value: V): void {
    const mark = markOf(text)
    const place = mark & (PLACES - 1)
    const marks = (this.#marks ??= new Int32Array(PLACES))
    if (marks[place] === mark) this.#memo.set(text, value)
    else marks[place] = mark
  }
}

function markOf(text: string): number {
  const { length } = text
  let hash = length
  for (let i = length > LAST ? length - LAST : 0; i < length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash ^ (hash >>> 15)
}
