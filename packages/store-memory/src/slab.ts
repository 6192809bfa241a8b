import type { State } from '@halt/core/store'

/** Where a table keeps its counters' numbers, by slot, without an object for each. */
export interface Slab {
  /** The slot's numbers behind a cool-down. */
  load(slot: number, block: number): State
  /** Keeps the numbers of `state`; false when they do not fit this layout. */
  save(slot: number, state: State): boolean
  /** Lets go of a slot's numbers. */
  free(slot: number): void
}

/** Slots a chunk: a slot's chunk is `slot >>> SHIFT`, its place there `slot & (CHUNK - 1)`. */
export const CHUNK = 8192
export const SHIFT = 13
const FIRST = 16

/**
 * How many slots a chunk is to have room for, so that `slot` is one of them. Chunks keep growth cheap and slack small; the first
 * one starts small, since there may be many tables of few keys.
 */
export function sizeFor(slot: number, present: number): number {
  if (slot >= CHUNK) return CHUNK
  let size = Math.max(FIRST, present)
  while (size <= slot) size *= 2
  return size
}

/** Puts the numbers of a smaller chunk at the beginning of a larger one. */
export function copy<T extends Uint32Array | Uint8Array | Float64Array>(into: T, from: T | undefined): T {
  if (from !== undefined) into.set(from)
  return into
}
