/** The number of counters in a store, and the most bytes that they take. */
export class Tally {
  keys = 0
  bytes = 0
}

/** The most bytes of a counter without its name and its list: entries in maps, numbers, and the hold of a refused one. */
const COUNTER = 144
/** The most bytes of a table with one counter, without that counter. */
export const TABLE_BYTES = 2048
const STRING = 24
const LIST = 128

// Texts with such characters take two bytes per character. Matching also makes V8 copy a text that is a slice of another, so
// that a key does not keep the header alive that it was cut from.
const WIDE = /[^\u0000-\u00ff]/

/** The most bytes of a counter with this name, without its list. */
export function counterBytes(name: string): number {
  return COUNTER + STRING + (WIDE.test(name) ? 2 : 1) * name.length
}

/** The most bytes of a list of so many numbers, with its map entry and the slack of the heap. */
export function listBytes(length: number): number {
  return LIST + 9 * length
}
