import { afterQuietly } from './event-loop.ts'

/**
 * Drop the iterator after this many writes in a row that removed nothing, because it keeps the map's former table alive after
 * the map has grown.
 */
const IDLE_WRITES = 1_000

/**
 * A map with a maximum number of entries. Beyond that it removes the entry that was written longest ago.
 *
 * While the map is full, one iterator finds the oldest keys. A new iterator each time would have to skip every entry deleted
 * since the map last compacted itself: tens of thousands in a flood of keys.
 */
export class BoundedMap<V> {
  readonly #max: number
  readonly #entries = new Map<string, V>()
  #oldest: MapIterator<string> | undefined
  #idle = 0

  /** @param max the most entries that the map keeps */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** Writes an entry and makes it the newest. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#forgetOldest()
    else if (this.#oldest !== undefined && ++this.#idle > IDLE_WRITES) this.#oldest = undefined
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Iterates over the entries, the oldest first. */
  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.#entries.entries()
  }

  #forgetOldest(): void {
    this.#idle = 0
    // A rewritten entry moves to the end of the iteration, so the next key is still the oldest.
    let oldest = this.#oldest?.next().value
    if (oldest === undefined) {
      this.#oldest = this.#entries.keys()
      oldest = this.#oldest.next().value
    }
    this.#entries.delete(oldest as string)
  }
}

/**
 * A bounded memo from text to a value. It forgets the entries that were not read lately.
 *
 * It has two generations. Entries are written to the young one. When the young one is full, it becomes the old one, and the
 * former old one is dropped. An entry found in the old one moves to the young one. So a flood of new texts costs at most
 * `size` entries, without an ordered list and without a timer.
 */
export class Memo<V extends NonNullable<unknown>> {
  readonly #half: number
  #young: Map<string, V> = new Map()
  #old: Map<string, V> = new Map()

  /** @param size the most entries that the memo keeps */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2))
  }

  /** The remembered value, or undefined. Allocates nothing when the entry is in the young generation. */
  get(text: string): V | undefined {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const old = this.#old.get(text)
    if (old !== undefined) this.set(text, old)
    return old
  }

  set(text: string, value: V): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(detach(text), value)
  }

  /** The number of entries kept now. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}

/** Copies a text. V8 keeps a slice as a pointer, so a hop would keep its whole header of up to 16 KB in memory. */
export function detach(text: string): string {
  return ` ${text}`.slice(1)
}

/**
 * A bounded memo from two texts to a value, which forgets as a `Memo` does.
 *
 * Joined into one text, the two would have to be copied and hashed for each look-up. Few first texts are best, such as the names
 * of counters.
 */
export class PairMemo<V extends NonNullable<unknown>> {
  readonly #half: number
  #young: Map<string, Map<string, V>> = new Map()
  #old: Map<string, Map<string, V>> = new Map()
  #youngSize = 0
  #oldSize = 0

  /** @param size the most entries that the memo keeps */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2))
  }

  /** The remembered value, or undefined. Allocates nothing when the entry is in the young generation. */
  get(first: string, second: string): V | undefined {
    const young = this.#young.get(first)?.get(second)
    if (young !== undefined) return young
    const old = this.#old.get(first)?.get(second)
    if (old !== undefined) this.set(first, second, old)
    return old
  }

  set(first: string, second: string, value: V): void {
    if (this.#youngSize >= this.#half) {
      this.#old = this.#young
      this.#oldSize = this.#youngSize
      this.#young = new Map()
      this.#youngSize = 0
    }
    let values = this.#young.get(first)
    if (values === undefined) this.#young.set(detach(first), (values = new Map()))
    const { size } = values
    values.set(detach(second), value)
    this.#youngSize += values.size - size
  }

  /** The number of entries kept now. */
  get size(): number {
    return this.#youngSize + this.#oldSize
  }
}

const LIFE_MS = 1000
const MAX_ENTRIES = 10_000

/**
 * A bounded memo for texts that must not stay in memory: it forgets each entry within a second.
 *
 * One timer per burst of entries empties it, and does not keep the process alive. A runtime whose timers cannot promise that
 * keeps nothing.
 */
export class BriefMemo<V extends NonNullable<unknown>> {
  readonly #entries = new Map<string, V>()
  #isTimed = false

  get(text: string): V | undefined {
    return this.#entries.size === 0 ? undefined : this.#entries.get(text)
  }

  set(text: string, value: V): void {
    if (!this.#isTimed && !this.#startTimer()) return
    if (this.#entries.size < MAX_ENTRIES) this.#entries.set(text, value)
  }

  #startTimer(): boolean {
    const timer = afterQuietly(LIFE_MS, () => {
      this.#entries.clear()
      this.#isTimed = false
    })
    // Where timers are numbers, as in Workers, a timer may end together with the request that started it.
    this.#isTimed = typeof timer === 'object'
    return this.#isTimed
  }
}

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

/** The value of a key. One that the map does not have is made, and kept in it. */
export function keptIn<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Makes a list that has room for exactly `length` items. A `push` onto an empty list would make room for seventeen. */
export function listOf<T>(length: number): T[] {
  // oxlint-disable-next-line unicorn/no-new-array -- an array literal cannot say its length
  return new Array<T>(length)
}
