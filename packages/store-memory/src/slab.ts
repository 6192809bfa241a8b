import type { Rule, State } from '@halt/core/store'

/** Stores the numbers of a segment's counters by slot, without an object per counter. */
export interface Slab {
  /** The state of a slot: the given cool-down, then the stored numbers. */
  load(slot: number, cooldown: number): State
  /** Stores the numbers of `state` after the cool-down. False if they do not fit this layout. */
  save(slot: number, state: State): boolean
  /** Frees a slot's numbers. */
  free(slot: number): void
  /** Buckets: the instant from which a slot's counter, its cool-down ignored, equals a fresh one. In microseconds. */
  freshAt?(slot: number): number
  /**
   * Buckets and windows: the debt of a slot after a charge, or the units used. 0 if `decide` must decide, because the cost does not
   * fit, the stored terms are not those of `rule`, or the charge begins a window.
   */
  amountAfter?(slot: number, rule: Rule, cost: number, now: number): number
  /** Stores such an amount at `now`. False if it changed nothing, because the stored terms are not those of `rule`. */
  setAmount?(slot: number, rule: Rule, now: number, amount: number): boolean
  /** Windows: the end. */
  end?(slot: number): number
  /**
   * Windows: charges a slot, and returns its state after that. Undefined if it changed nothing, because the cost does not fit, or
   * the charge begins a window or sub-window.
   */
  chargeWindow?(slot: number, rule: Rule, cost: number, now: number): State | undefined
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

/** The debt of a bucket after a charge, from its debt before and the part of this debt which is paid back. 0 if it exceeds `most`. */
export function debtAfter(owed: number, paid: number, charge: number, most: number): number {
  const debt = (paid >= owed ? 0 : owed - paid) + charge
  return debt > most ? 0 : debt
}
