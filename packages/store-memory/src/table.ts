import type { Rule, State } from '@halt/core/store'
import { Segment } from './segment.ts'
import { counterBytes, TABLE_BYTES, type Tally } from './tally.ts'

/** The most counters of a segment, so that a split takes a few milliseconds. A power of two, because V8's maps grow so. */
const MAX_SEGMENT_KEYS = 4096
// 16 million keys fill half of 2 ** 13 segments.
const MAX_DEPTH = 13

/**
 * The counters of one policy, by subject. They are in segments, chosen by the last bits of the subject's hash. A full segment
 * is split in two (extendible hashing), so that no operation takes time in proportion to all counters.
 */
export class Table {
  /** The key of the table in the store. */
  readonly name: string
  /** Its index among the tables of the store. */
  index = 0
  readonly #code: string
  readonly #tally: Tally
  // Segments by the last bits of the hash. A segment of lesser depth is listed several times.
  #directory: Segment[]
  readonly #segments: Segment[]
  #size = 0
  // The hand, which goes round all keys for ever: the index of a segment, and an iterator in it.
  #turn = 0
  #hand: MapIterator<[string, number]>
  // The last subject that was looked up, because a check reads and then keeps the same one.
  #subject: string | undefined
  #segment: Segment
  #slot: number | undefined

  constructor(name: string, code: string, tally: Tally) {
    this.name = name
    this.#code = code
    this.#tally = tally
    this.#segment = new Segment(code, tally)
    this.#directory = [this.#segment]
    this.#segments = [this.#segment]
    this.#hand = this.#segment.open()
    tally.bytes += TABLE_BYTES
  }

  get size(): number {
    return this.#size
  }

  /** A copy of a subject's counter. Empty if there is none. */
  load(subject: string): State {
    const slot = this.#find(subject)
    return slot === undefined ? [] : this.#segment.load(slot)
  }

  /** Stores a counter. True if its subject is new here. */
  save(subject: string, state: State, now: number): boolean {
    const found = this.#find(subject)
    const slot = found ?? this.#insert(subject)
    this.#segment.save(slot, state)
    // A counter whose first number is in the future is blocked or penalized, except for idempotency keys.
    if (state[0]! > now && this.#code !== 'i')
      this.#segment.hold(subject, slot, Math.max(state[0]!, this.#segment.heldUntil(slot)))
    return found === undefined
  }

  /**
   * The debt of a bucket after a charge, or the units used in a window. A bucket that is not stored had no debt before. 0 if `decide` must
   * decide, because the cost does not fit, it begins a window, or the counter has a cool-down or other terms.
   */
  amountAfter(subject: string, rule: Rule, cost: number, now: number): number {
    const slot = this.#find(subject)
    if (slot !== undefined) return this.#segment.amountAfter(slot, rule, cost, now)
    return rule.code !== 't' || cost > rule.capacity ? 0 : cost * rule.unit
  }

  /** Charges a stored bucket, and returns its debt after that; 0 if it changed nothing, as {@link amountAfter}; -1 if it is not stored. */
  charge(subject: string, rule: Rule, cost: number, now: number): number {
    const slot = this.#find(subject)
    return slot === undefined ? -1 : this.#segment.charge(slot, rule, cost, now)
  }

  /** Charges a stored window, and returns its state after that. Undefined if it changed nothing: `decide` must decide. */
  chargeWindow(subject: string, rule: Rule, cost: number, now: number): State | undefined {
    const slot = this.#find(subject)
    return slot === undefined ? undefined : this.#segment.chargeWindow(slot, rule, cost, now)
  }

  /** Stores such an amount at `now`. False if it changed nothing, because the bucket is not stored or has other terms. */
  setAmount(subject: string, rule: Rule, now: number, amount: number): boolean {
    const slot = this.#find(subject)
    return slot !== undefined && this.#segment.setAmount(slot, rule, now, amount)
  }

  /** The end of a stored window. */
  end(subject: string): number {
    return this.#segment.end(this.#find(subject)!)
  }

  delete(subject: string): boolean {
    const slot = this.#find(subject)
    if (slot === undefined) return false
    const segment = this.#segment
    segment.delete(subject, slot)
    this.#count(subject, -1)
    this.#subject = undefined
    if (segment.isSparse) this.#replace(segment, [new Segment(this.#code, this.#tally, segment.depth)])
    return true
  }

  /** Marks a subject as refused until an instant, so that a flood of other keys does not free it. */
  hold(subject: string, until: number): void {
    const slot = this.#find(subject)
    if (slot !== undefined) this.#segment.hold(subject, slot, until)
  }

  /** Moves the hand to the next subject that is not refused. Undefined if there is none. */
  advance(now: number): string | undefined {
    for (let i = 0; i <= this.#segments.length; i++) {
      const met = this.#step(now)
      if (met !== undefined) return met[0]
    }
    return undefined
  }

  /** Moves the hand by one. Returns the subject there if its counter equals a fresh one since an instant. */
  advanceToFresh(now: number, since: number): string | undefined {
    const met = this.#step(now)
    return met !== undefined && this.#segments[this.#turn]!.isFresh(met[1], since) ? met[0] : undefined
  }

  /** The segment of the subject whose refusal ends first. Undefined if no subject is refused. */
  soonest(): Segment | undefined {
    let first: Segment | undefined
    for (const segment of this.#segments)
      if (segment.soonest < (first?.soonest ?? Number.POSITIVE_INFINITY)) first = segment
    return first
  }

  #find(subject: string): number | undefined {
    if (subject !== this.#subject) {
      this.#segment = this.#segmentOf(subject)
      this.#slot = this.#segment.find(subject)
      this.#subject = subject
    }
    return this.#slot
  }

  #segmentOf(subject: string): Segment {
    const directory = this.#directory
    return directory.length === 1 ? directory[0]! : directory[hash(subject) & (directory.length - 1)]!
  }

  #insert(subject: string): number {
    while (this.#segment.size >= MAX_SEGMENT_KEYS && this.#segment.depth < MAX_DEPTH) {
      this.#split(this.#segment)
      this.#segment = this.#segmentOf(subject)
    }
    this.#count(subject, 1)
    this.#subject = subject
    return (this.#slot = this.#segment.insert(subject))
  }

  #count(subject: string, sign: 1 | -1): void {
    this.#size += sign
    this.#tally.keys += sign
    this.#tally.bytes += sign * counterBytes(subject)
  }

  #split(segment: Segment): void {
    const depth = segment.depth + 1
    if (1 << depth > this.#directory.length) this.#directory = [...this.#directory, ...this.#directory]
    this.#replace(segment, [
      new Segment(this.#code, this.#tally, depth),
      new Segment(this.#code, this.#tally, depth),
    ])
  }

  /** Replaces a segment by one, or by two that the next bit of the hash separates. */
  #replace(old: Segment, [even, odd]: [Segment, Segment?]): void {
    this.#subject = undefined
    for (let i = 0; i < this.#directory.length; i++) {
      if (this.#directory[i] !== old) continue
      this.#directory[i] = odd !== undefined && ((i >>> old.depth) & 1) === 1 ? odd : even
    }
    const place = this.#segments.indexOf(old)
    this.#segments[place] = even
    if (odd !== undefined) this.#segments.push(odd)
    if (place === this.#turn) this.#hand = even.open()
    old.moveTo(subject => this.#segmentOf(subject))
  }

  /** One step of the hand: the next key in this segment, else the first of the next segment. Undefined if that has none. */
  #step(now: number): [string, number] | undefined {
    if (this.#segments[this.#turn]!.hasOpen(now)) {
      const step = this.#hand.next()
      if (step.done !== true) return step.value
    }
    this.#turn = (this.#turn + 1) % this.#segments.length
    const next = this.#segments[this.#turn]!
    const hasOpen = next.hasOpen(now)
    this.#hand = next.open()
    return hasOpen ? this.#hand.next().value : undefined
  }
}

let seed: number | undefined

/**
 * A 32-bit hash of a text. It only chooses the segment of a key. The seed is random per process, so that clients cannot
 * choose keys that all fall into one segment.
 */
function hash(text: string): number {
  // Drawn at the first call, because some platforms give no random numbers while a module loads.
  seed ??= crypto.getRandomValues(new Uint32Array(1))[0]!
  let bits = seed
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
