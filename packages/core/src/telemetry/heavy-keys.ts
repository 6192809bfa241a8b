import { detach } from '../base/bounded-memory.ts'

/** A frequent key. */
export interface HeavyKey {
  readonly key: string
  /** An upper bound on how often the key was added. */
  readonly count: number
  /** How much of `count` may belong to other keys. The key was added at least `count - error` times. */
  readonly error: number
}

/**
 * The most frequent keys, in a bounded table: the Space-Saving algorithm (Metwally, Agrawal, El Abbadi: Efficient Computation of
 * Frequent and Top-k Elements in Data Streams, ICDT 2005). A key that was added more than `total / size` times is always in the
 * table. Its count is never too low, and too high by at most `error`.
 *
 * The counters stand in a heap with the least count first, so an addition takes O(log size) steps, whatever keys come.
 */
export class HeavyKeys {
  readonly #size: number
  // By key: its row in the lists below.
  readonly #rows = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #counts: number[] = []
  readonly #errors: number[] = []
  // Rows, the one with the least count first; and the place of each row in it.
  readonly #heap: number[] = []
  readonly #places: number[] = []

  /** @param size the maximum number of keys in the table */
  constructor(size: number) {
    this.#size = size
  }

  /** How often a key that is not in the table may have been added. */
  get least(): number {
    return this.#heap.length < this.#size ? 0 : (this.#counts[this.#heap[0] as number] as number)
  }

  /** The number of keys in the table. */
  get length(): number {
    return this.#keys.length
  }

  add(key: string): void {
    const row = this.#rows.get(key)
    if (row !== undefined) this.#raise(row)
    else if (this.#keys.length < this.#size) this.#append(detach(key))
    else this.#replace(detach(key))
  }

  /** The count of a key, and how much of it may belong to other keys. */
  find(key: string): HeavyKey | undefined {
    const row = this.#rows.get(key)
    return row === undefined ? undefined : this.#at(row)
  }

  /** The most frequent keys, the most frequent first. */
  top(most: number): HeavyKey[] {
    const all = this.#keys.map((_key, row) => this.#at(row))
    // Among equal counts, the key with the smaller error comes first.
    return all.sort((a, b) => b.count - a.count || a.error - b.error).slice(0, most)
  }

  #at(row: number): HeavyKey {
    return {
      key: this.#keys[row] as string,
      count: this.#counts[row] as number,
      error: this.#errors[row] as number,
    }
  }

  #append(key: string): void {
    const row = this.#keys.push(key) - 1
    this.#rows.set(key, row)
    this.#counts.push(1)
    this.#errors.push(0)
    // No count is below 1, so only the rows with greater counts above it have to give way.
    this.#places.push(this.#heap.push(row) - 1)
    this.#rise(row)
  }

  // The new key replaces the least frequent key and inherits its count.
  #replace(key: string): void {
    const row = this.#heap[0] as number
    this.#rows.delete(this.#keys[row] as string)
    this.#rows.set(key, row)
    this.#keys[row] = key
    this.#errors[row] = this.#counts[row] as number
    this.#raise(row)
  }

  #rise(row: number): void {
    for (let place = this.#places[row] as number; place > 0;) {
      const parent = (place - 1) >>> 1
      if (this.#countAt(parent) <= (this.#counts[row] as number)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  /** Adds one to a count, and moves its row away from the top until no row below it has a lower count. */
  #raise(row: number): void {
    const count = ((this.#counts[row] as number) += 1)
    const { length } = this.#heap
    for (let place = this.#places[row] as number; ;) {
      let child = 2 * place + 1
      if (child >= length) return
      if (child + 1 < length && this.#countAt(child + 1) < this.#countAt(child)) child++
      if (this.#countAt(child) >= count) return
      this.#swap(place, child)
      place = child
    }
  }

  #countAt(place: number): number {
    return this.#counts[this.#heap[place] as number] as number
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a] as number, this.#heap[b] as number]
    this.#heap[a] = second
    this.#heap[b] = first
    this.#places[second] = a
    this.#places[first] = b
  }
}
