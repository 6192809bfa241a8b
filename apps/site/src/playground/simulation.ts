import type { Arrival, TrafficSource } from './arrival.ts'
import type { Setup } from './setup.ts'
import { Side } from './side.ts'
import { sourceOf } from './traffic.ts'

/** The most requests that one call decides, so that the page stays quick. */
const MOST_AT_ONCE = 20_000

/** One run of a set-up: every side gets the same requests at the same instants. */
export class Simulation {
  readonly sides: readonly Side[]
  readonly notes: readonly string[]
  /** The past that the pictures show, in microseconds: three of the longest window. */
  readonly span: number
  /** Microseconds since the start. */
  now = 0
  readonly #source: TrafficSource
  #next: Arrival | undefined

  /** @throws HaltError if a policy is wrong */
  constructor({ sides, traffic, lasts }: Pick<Setup, 'sides' | 'traffic' | 'lasts'>) {
    this.#source = sourceOf(traffic)
    const { start, notes } = this.#source
    this.notes = notes
    this.sides = sides.map(policies => new Side(policies, start, lasts))
    this.span = 3 * Math.max(...this.sides.map(({ longest }) => longest))
    for (const side of this.sides) side.keep(this.span)
    this.#next = this.#read()
  }

  /** Whether all requests of a log have come. */
  get isOver(): boolean {
    return this.#next === undefined
  }

  /** Lets time pass. Stops early, behind the last of many requests, and goes on with the next call. */
  advance(micros: number): void {
    const until = this.now + Math.round(micros)
    for (let left = MOST_AT_ONCE; this.#next !== undefined && this.#next.at <= until; left--) {
      if (left === 0) return this.#moveTo(this.#next.at)
      this.#take(this.#next)
    }
    this.#moveTo(until)
  }

  /** Decides the next request, at its instant. */
  step(): void {
    if (this.#next === undefined) return
    const { at } = this.#next
    this.#take(this.#next)
    this.#moveTo(Math.max(this.now, at))
  }

  #take(arrival: Arrival): void {
    for (const side of this.sides) side.take(arrival)
    this.#next = this.#read()
  }

  #moveTo(now: number): void {
    this.now = now
    for (const side of this.sides) {
      side.advance(now)
      side.history.advance(now)
    }
  }

  #read(): Arrival | undefined {
    const { value, done } = this.#source.arrivals.next()
    return done === true ? undefined : value
  }
}
