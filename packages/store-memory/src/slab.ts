import type { State } from '@halt/core/store'

/** Stores the numbers of a segment's counters by slot, without an object per counter. */
export interface Slab {
  /** The state of a slot: the given cool-down, then the stored numbers. */
  load(slot: number, cooldown: number): State
  /** Stores the numbers of `state` after the cool-down. False if they do not fit this layout. */
  save(slot: number, state: State): boolean
  /** Frees a slot's numbers. */
  free(slot: number): void
}

type Numbers = Uint32Array | Uint8Array | Float64Array

const FIRST = 16
const STEP = 1024

/**
 * Returns a column of `width` numbers per slot with room for `slot`: the same one, or a larger copy. Small columns double,
 * because there may be many tables of few keys. Larger ones grow by a fixed step, which leaves little slack.
 */
export function withRoom<T extends Numbers>(column: T, slot: number, width = 1): T {
  if ((slot + 1) * width <= column.length) return column
  let slots = FIRST
  while (slots <= slot) slots += slots < STEP ? slots : STEP
  const Column = column.constructor as new (length: number) => T
  const larger = new Column(slots * width)
  larger.set(column)
  return larger
}
