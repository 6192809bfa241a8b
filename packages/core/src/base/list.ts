/** Makes a list that has room for exactly `length` items. A `push` onto an empty list would make room for seventeen. */
export function listOf<T>(length: number): T[] {
  // oxlint-disable-next-line unicorn/no-new-array -- an array literal cannot say its length
  return new Array<T>(length)
}
