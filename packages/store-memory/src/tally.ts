/** What a store keeps by now: how many counters, and at most how many bytes. */
export class Tally {
  keys = 0
  bytes = 0
}

/** The most that a counter takes beside its name and its list: places in the maps, numbers, and the hold of a refused one. */
const COUNTER = 144
/** The most that a table of one counter takes beside it. */
export const TABLE_BYTES = 2048
const STRING = 24
const LIST = 128

// Texts of other characters take two bytes each. To ask an expression also makes V8 copy a text that was put together
// of others, so that a key does not hold on to the header that it was cut from.
const WIDE = /[^\u0000-\u00ff]/

/** The most bytes that a counter of this name takes, its list aside. */
export function counterBytes(name: string): number {
  return COUNTER + STRING + (WIDE.test(name) ? 2 : 1) * name.length
}

/** The most bytes that a list of so many numbers takes, with its place in a map and what the heap wastes beside it. */
export function listBytes(length: number): number {
  return LIST + 9 * length
}
