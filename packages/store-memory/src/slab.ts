import type { State } from '@halt/core/store'

/** Where a segment keeps its counters' numbers, by slot, without an object for each. */
export interface Slab {
  /** The slot's numbers behind a cool-down. */
  load(slot: number, cooldown: number): State
  /** Keeps the numbers of `state`; false when they do not fit this layout. */
  save(slot: number, state: State): boolean
  /** Lets go of a slot's numbers. */
  free(slot: number): void
}

type Numbers = Uint32Array | Uint8Array | Float64Array

const FIRST = 16
const STEP = 1024

/**
 * A column of `width` numbers a slot with room for `slot`: a larger copy where it has none. Small ones double, because
 * there may be many tables of few keys; larger ones grow by a step, which leaves little slack.
 */
export function roomy<T extends Numbers>(column: T, slot: number, width = 1): T {
  if ((slot + 1) * width <= column.length) return column
  let slots = FIRST
  while (slots <= slot) slots += slots < STEP ? slots : STEP
  const Column = column.constructor as new (length: number) => T
  const larger = new Column(slots * width)
  larger.set(column)
  return larger
}
