import type { Algorithm, AlgorithmCode, Layout, Rule, State } from '@halt/core/store'
import { abuseScore, algorithms } from '@halt/core/counters'

import { Holds } from './holds.ts'
import { NarrowSlab, withRoom, type Slab } from './slab.ts'
import { SubWindowSlab, WideSlab } from './wide-slab.ts'
import { listBytes, type Tally } from './tally.ts'

const SPARSE = 128
// The code of the counters that hold penalties.
const PENALTY = 'p'
// The numbers that each slab keeps for a counter with its cool-down. A quota that was topped up has the granted amount behind
// them, a bucket in front of which callers wait has their line, one that tenants share its clock.
const OWN_NUMBERS: Readonly<Record<Exclude<Layout, 'sub-windows'>, number>> = { bucket: 5, window: 3, tag: 4 }

/**
 * A few thousand counters of a table. Work that grows with the number of counters (growth of a map, a change of layout) is
 * done per segment, so it is short.
 */
export class Segment {
  /** How many bits of their hash all its keys share. */
  readonly depth: number
  readonly #code: string
  readonly #algorithm: Algorithm | undefined
  readonly #isBucket: boolean
  // The keys without a known refusal. The others are in #holds.
  readonly #open = new Map<string, number>()
  #holds: Holds | undefined
  #slab: Slab
  // Cool-downs by slot. Few keys have one, so the column is made with the first.
  #cooldowns = new Float64Array(0)
  // The numbers that few counters have, by slot: the granted amount of a quota, the line of a bucket.
  readonly #extras = new Map<number, State>()
  readonly #tally: Tally
  readonly #free: number[] = []
  #next = 0

  constructor(code: string, tally: Tally, depth = 0) {
    this.depth = depth
    this.#code = code
    this.#tally = tally
    this.#algorithm = algorithmFor(code)
    this.#isBucket = this.#algorithm?.layout === 'bucket'
    this.#slab = slabFor(code, tally)
  }

  get size(): number {
    return this.#open.size + (this.#holds?.size ?? 0)
  }

  /** Whether it has far more slots than counters. */
  get isSparse(): boolean {
    return this.#next >= SPARSE && 2 * this.size < this.#next
  }

  /** The instant when the first refusal ends, `Infinity` if no key is refused. */
  get soonest(): number {
    return this.#holds?.soonest ?? Number.POSITIVE_INFINITY
  }

  /** The key whose refusal ends first. */
  get first(): string | undefined {
    return this.#holds?.first
  }

  find(subject: string): number | undefined {
    const slot = this.#open.get(subject)
    return slot === undefined && this.#holds !== undefined ? this.#holds.find(subject) : slot
  }

  load(slot: number): State {
    const state = this.#slab.load(slot, slot < this.#cooldowns.length ? this.#cooldowns[slot]! : 0)
    const extra = this.#extras.size === 0 ? undefined : this.#extras.get(slot)
    if (extra !== undefined) state.push(...extra)
    return state
  }

  /** Adds a key that it does not have. Returns its slot. */
  insert(subject: string): number {
    const slot = this.#free.pop() ?? this.#next++
    this.#open.set(subject, slot)
    return slot
  }

  save(slot: number, state: State): void {
    if (!this.#slab.save(slot, state)) this.#widen(slot, state)
    const cooldown = state[0]!
    if (cooldown > 0) {
      this.#cooldowns = withRoom(this.#cooldowns, slot)
      this.#cooldowns[slot] = cooldown
    } else if (slot < this.#cooldowns.length) this.#cooldowns[slot] = 0
    if (this.#algorithm === undefined || this.#algorithm.layout === 'sub-windows') return
    const own = OWN_NUMBERS[this.#algorithm.layout]
    const extra = state.length > own ? state.slice(own) : undefined
    if (extra === undefined && this.#extras.size === 0) return
    this.#countExtra(slot, extra)
  }

  #countExtra(slot: number, extra: State | undefined): void {
    const before = this.#extras.get(slot)
    this.#tally.bytes += bytesOf(extra) - bytesOf(before)
    if (extra === undefined) this.#extras.delete(slot)
    else this.#extras.set(slot, extra)
  }

  /**
   * The amount of a bucket or a window after a charge, as its slab gives it. A counter that has or had a cool-down, or that has a line,
   * holds or granted units, is left to `decide`.
   */
  amountAfter(slot: number, rule: Rule, cost: number, now: number): number {
    if (this.#extras.size > 0 && this.#extras.has(slot)) return 0
    if (slot < this.#cooldowns.length && this.#cooldowns[slot]! > 0) return 0
    return this.#slab.amountAfter!(slot, rule, cost, now)
  }

  /** Charges a bucket, and returns its debt after that; 0 if it changed nothing, as {@link amountAfter}. */
  charge(slot: number, rule: Rule, cost: number, now: number): number {
    const debt = this.amountAfter(slot, rule, cost, now)
    if (debt > 0) this.#slab.setAmount!(slot, rule, now, debt)
    return debt
  }

  /** Charges a window, as its slab does. A window that has or had a cool-down is left to `decide`. */
  chargeWindow(slot: number, rule: Rule, cost: number, now: number): State | undefined {
    if (slot < this.#cooldowns.length && this.#cooldowns[slot]! > 0) return undefined
    return this.#slab.chargeWindow!(slot, rule, cost, now)
  }

  /** Stores such an amount at `now`. False if it changed nothing, because the bucket has other terms. */
  setAmount(slot: number, rule: Rule, now: number, amount: number): boolean {
    return this.#slab.setAmount!(slot, rule, now, amount)
  }

  /** The end of a window. */
  end(slot: number): number {
    return this.#slab.end!(slot)
  }

  /** Removes a key and frees its slot. */
  delete(subject: string, slot: number): void {
    if (!this.#open.delete(subject)) this.#holds?.delete(subject)
    this.#slab.free(slot)
    if (this.#extras.size > 0) this.#countExtra(slot, undefined)
    if (slot < this.#cooldowns.length) this.#cooldowns[slot] = 0
    this.#free.push(slot)
  }

  /** Marks a key as refused until an instant. */
  hold(subject: string, slot: number, until: number): void {
    this.#holds ??= new Holds()
    if (this.#holds.end(slot) === 0) this.#open.delete(subject)
    this.#holds.set(subject, slot, until)
  }

  /** The instant until which a slot's key is known to be refused, 0 if it is not. */
  heldUntil(slot: number): number {
    return this.#holds?.end(slot) ?? 0
  }

  /** Whether any key is not refused. Moves one key whose refusal has ended back to these. */
  hasOpen(now: number): boolean {
    if (this.soonest <= now) {
      const subject = this.first!
      this.#open.set(subject, this.#holds!.delete(subject))
    }
    return this.#open.size > 0
  }

  /** The keys that are not refused, and their slots. Some whose refusal has ended may be missing. */
  open(): MapIterator<[string, number]> {
    return this.#open.entries()
  }

  /** Moves all its counters to other segments. */
  moveTo(segmentOf: (subject: string) => Segment): void {
    for (const [subject, slot] of this.#entries()) {
      const segment = segmentOf(subject)
      const place = segment.insert(subject)
      segment.save(place, this.load(slot))
      if (this.heldUntil(slot) > 0) segment.hold(subject, place, this.heldUntil(slot))
      this.#slab.free(slot)
      if (this.#extras.size > 0) this.#countExtra(slot, undefined)
    }
  }

  /** Whether a slot's counter equals a fresh one. */
  isFresh(slot: number, now: number): boolean {
    // perf: bench "100 000 fresh keys"; each new key asks this of a few others.
    if (this.#isBucket && !this.#extras.has(slot))
      return (
        (slot >= this.#cooldowns.length || this.#cooldowns[slot]! <= now) && now >= this.#slab.freshAt!(slot)
      )
    const state = this.load(slot)
    if (state[0]! > now) return false
    if (this.#algorithm !== undefined) return now >= this.#algorithm.freshAt(state)
    return this.#code !== PENALTY || now >= abuseScore.freshAt(state)
  }

  *#entries(): Generator<[string, number]> {
    yield* this.#open
    if (this.#holds !== undefined) yield* this.#holds.entries()
  }

  #widen(slot: number, state: State): void {
    const wide = new WideSlab(this.#algorithm?.layout === 'bucket' ? 4 : 2)
    for (const [, other] of this.#entries()) if (other !== slot) wide.save(other, this.load(other))
    wide.save(slot, state)
    this.#slab = wide
  }
}

function bytesOf(extra: State | undefined): number {
  return extra === undefined ? 0 : listBytes(extra.length)
}

// The compiler asks for a slab of a new layout.
const SLABS: Readonly<Record<Layout, (tally: Tally) => Slab>> = {
  bucket: () => new NarrowSlab(true),
  window: () => new NarrowSlab(false),
  'sub-windows': tally => new SubWindowSlab(tally),
  tag: () => new WideSlab(3),
}

function slabFor(code: string, tally: Tally): Slab {
  const algorithm = algorithmFor(code)
  if (algorithm !== undefined) return SLABS[algorithm.layout](tally)
  // A penalty has five numbers after the first, an idempotency key none.
  return new WideSlab(code === PENALTY ? 5 : 0)
}

/** The algorithm of a code; undefined for penalties and idempotency keys, which have none. */
function algorithmFor(code: string): Algorithm | undefined {
  return Object.hasOwn(algorithms, code) ? algorithms[code as AlgorithmCode] : undefined
}
