// What budgets of an hour and of a day must have paid, by a book that shares no code with Halt.
import { ORIGIN } from '../../../core/test/line/virtual-core.ts'
import type { VirtualTime } from '../../../core/test/line/virtual-time.ts'

// What is decided without the store goes by the time since the process began.
export const BEGAN: number = ORIGIN
export const HOUR = 3_600_000
/** Periods of one hour and of one day. The first hour ends after 20 s, and the first day 2 h later. */
const EDGE = BEGAN + 20_000
export const NAMES = ['hour', 'day'] as const
export type Name = (typeof NAMES)[number]
const LENGTHS: Readonly<Record<Name, number>> = { hour: HOUR, day: 24 * HOUR }
export const ANCHORS: Readonly<Record<Name, number>> = { hour: EDGE, day: EDGE + 2 * HOUR }

/** What one call has paid of one budget, as the book knows it. */
export interface Entry {
  readonly estimate: number
  used: number
  paid: number
  /** The period in which units were paid last, and those that were paid in it. */
  period: number
  inPeriod: number
}

/** A book of what budgets must have paid: per budget and period, and per call. It shares no code with Halt. */
export class Book {
  readonly #used = new Map<string, number>()
  readonly #time: VirtualTime

  constructor(time: VirtualTime) {
    this.#time = time
  }

  period(name: Name): number {
    return Math.floor((this.#time.unixMs() - ANCHORS[name]) / LENGTHS[name])
  }

  used(name: Name): number {
    return this.#used.get(`${name} ${this.period(name)}`) ?? 0
  }

  add(name: Name, sum: number, period = this.period(name)): void {
    const key = `${name} ${period}`
    this.#used.set(key, Math.max(0, (this.#used.get(key) ?? 0) + sum))
  }

  open(name: Name, estimate: number, isHeld: boolean): Entry {
    const entry = { estimate, used: 0, paid: 0, period: this.period(name), inPeriod: 0 }
    if (!isHeld) this.#pay(name, entry, estimate)
    return entry
  }

  charge(name: Name, entry: Entry, sum: number): void {
    entry.used += sum
    if (entry.used > entry.paid) this.#pay(name, entry, entry.used - entry.paid)
  }

  settle(name: Name, entry: Entry, actual: number | undefined): void {
    const used = actual ?? (entry.used > 0 ? entry.used : entry.estimate)
    const more = Math.max(used - entry.paid, -entry.inPeriod)
    if (more > 0) this.add(name, more)
    else this.add(name, more, entry.period)
  }

  /** What was used in this period is forgotten, so nothing of it can be given back. */
  reset(name: Name, entries: readonly Entry[]): void {
    this.#used.delete(`${name} ${this.period(name)}`)
    for (const entry of entries) if (entry.period === this.period(name)) entry.inPeriod = 0
  }

  #pay(name: Name, entry: Entry, sum: number): void {
    if (entry.period !== this.period(name)) entry.inPeriod = 0
    entry.period = this.period(name)
    entry.paid += sum
    entry.inPeriod += sum
    this.add(name, sum)
  }
}
