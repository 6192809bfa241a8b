import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Decision } from '../check/decision.ts'
import { isSameCounter } from '../store/counter-key.ts'
import { CallerInLine, type Owner } from './caller-in-line.ts'
import type { Pending } from './callers.ts'
import type { Line } from './line.ts'
import { endOf, loneAt, nextInLine, type TakenPlace, timeOf, unusedGroup, withPlaces } from './places.ts'
import type { WaiterParts } from './waiter-parts.ts'

const NONE: readonly TakenPlace[] = Object.freeze([])

/**
 * The way of a caller through the lines of its buckets. It stands in one line at a time, and keeps the units of a line that it has passed
 * while it stands in the next one.
 */
export class Passage {
  /** The caller in the line in which it came last. Undefined for one that came to none. */
  inLine: CallerInLine | undefined
  /** Resolves when all that it gives back is with the store. */
  returned: Promise<unknown> | undefined
  readonly #owner: Owner & Pending
  readonly #parts: WaiterParts
  // The line in which the store gives it a place at once, and its order there, while the store is asked.
  #line: Line | undefined
  #order = 0
  // The places in the lines that it has passed. They are charged.
  #taken: readonly TakenPlace[] = NONE

  constructor(owner: Owner & Pending, parts: WaiterParts) {
    this.#owner = owner
    this.#parts = parts
  }

  /** Whether it stands in a line. */
  get isStanding(): boolean {
    return this.inLine?.isStanding === true
  }

  /** Whether others of this process stand in front of it in the line that the store is asked about. */
  get isBehindOthers(): boolean {
    return this.#line?.isBehindOthers(this.#order) === true
  }

  /** The check for which the store is asked: what it has passed is paid. Others of this process wait for the answer where it gets a place. */
  asks(check: Check): Check {
    const asked = withPlaces(check, this.#taken)
    const at = loneAt(asked)
    if (at < 0) return asked
    const { lines, store } = this.#parts
    this.#line = lines.of(asked, at, store)
    this.#line.placeMissing()
    // A caller that has passed other lines comes behind those that stand in this one.
    this.#order = this.#taken.length === 0 ? this.#owner.seq : this.#parts.nextSeq()
    this.#line.asks(this.#owner, this.#order)
    return asked
  }

  /** Lets those behind the caller start, for which the store has been asked. */
  answered(): void {
    const line = this.#line
    this.#line = undefined
    line?.answered(this.#owner)
  }

  /**
   * Enters the line of a bucket that a decision has charged.
   *
   * @param check the whole check of the caller
   */
  enter(check: Check, decision: Decision, result: CheckResult, startsIn: number | undefined): CallerInLine {
    const { check: decided, evaluation, degraded } = result
    const at = Math.max(0, loneAt(decided))
    const seq = this.#order
    if (degraded === false) {
      const place = startsIn === undefined ? undefined : endOf(decided, at, evaluation)
      return new CallerInLine(this.#owner, this.#parts, { seq, check: decided, at, place, decision })
    }
    // The check of the fallback has the numbers of this process's share.
    const owes = { start: this.#parts.store.clock() + (startsIn ?? 0), time: timeOf(decided.demands[at]!) }
    const entry = { seq, check, at: indexOf(check, decided, at), owes, decision, isOnlyHere: true }
    return new CallerInLine(this.#owner, this.#parts, entry)
  }

  /**
   * Enters the line of the slowest bucket that it has not passed. Undefined if it can stand in none, so that it asks again.
   *
   * @param check the whole check of the caller
   */
  enterNext(check: Check, result: CheckResult, startsIn: number): CallerInLine | undefined {
    const { demands } = result.check
    const next = nextInLine(result.check, result.evaluation)
    if (next < 0) return undefined
    const owes = { start: this.#parts.store.clock() + startsIn, time: timeOf(demands[next]!) }
    const before = this.inLine
    // A caller that comes again because it got no place stands where it stood.
    const stays = before?.place === undefined && before?.demand.rule.counter === demands[next]!.rule.counter
    const seq = stays ? before.seq : this.#parts.nextSeq()
    const at = indexOf(check, result.check, next)
    return new CallerInLine(this.#owner, this.#parts, { seq, check, at, owes })
  }

  stand(inLine: CallerInLine): void {
    this.inLine = inLine
    inLine.stand()
  }

  /** Keeps the units of the line in which its turn has come. */
  pass(): void {
    const { check, at, place } = this.inLine!
    if (place !== undefined) this.#taken = [...this.#taken, { check, at, place }]
  }

  /** Notes that the lines that it has passed are part of a charge. */
  charged(): void {
    this.#taken = NONE
  }

  /** Gives back the units of the lines that it has passed, because it does not start now. */
  giveBackTaken(): void {
    if (this.#taken.length === 0) return
    this.gives(this.#parts.store.correct(unusedGroup(this.#taken)))
    this.#taken = NONE
  }

  /** Notes that something is being given back. */
  gives(returned: Promise<unknown>): void {
    this.returned = this.returned === undefined ? returned : Promise.all([this.returned, returned])
  }
}

/** The index, in a whole check, of a demand of the part of it that was decided. */
function indexOf({ demands }: Check, decided: Check, at: number): number {
  return Math.max(
    0,
    demands.findIndex(other => isSameCounter(other, decided.demands[at]!)),
  )
}
