import type { Check } from '../check/check.ts'
import type { Turn } from '../check/turn.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Asker, Line, Place } from './line.ts'
import { type Lines, waitingRoom } from './lines.ts'

/** A caller that waits for its turn, until it starts, gives up, or has waited as long as it wants. */
export class Waiter implements Turn, Asker {
  /** Whether the caller has gone. */
  isOver = false
  /** Gives back what the caller has, when it goes. */
  giveBack: (() => void) | undefined
  readonly #lines: Lines
  readonly #now: () => number
  readonly #began: number
  readonly #patience: number
  #key = ''
  #line: Line | undefined
  #hasWaited = false
  #wake: (() => void) | undefined

  /**
   * @param now the clock that measures the caller's patience, in microseconds
   * @param patience the longest wait, in microseconds
   */
  constructor(lines: Lines, now: () => number, patience: number) {
    this.#lines = lines
    this.#now = now
    this.#began = now()
    this.#patience = patience
  }

  get maxWait(): number {
    return Math.max(0, this.#began + this.#patience - this.#now())
  }

  /** The whole milliseconds that the caller has waited; 0 if it did not have to. */
  get waitedMs(): number {
    return this.#hasWaited ? Math.round((this.#now() - this.#began) / 1000) : 0
  }

  before({ demands }: Check): Promise<void> | undefined {
    if (this.#line !== undefined) return undefined
    this.#key = demands.map(keyOfDemand).join('\n')
    const line = this.#lines.find(this.#key)
    if (line?.head === undefined) return undefined
    this.#line = line
    line.join(this)
    return this.#sleep(() => this.maxWait)
  }

  /** Whether callers of this process wait in front, for a start that they were given. */
  get isBehind(): boolean {
    return this.#lines.find(this.#key)?.hasPlaces === true
  }

  /** Waits for the start of a place. */
  async untilStart(place: Place): Promise<void> {
    const line = this.#lines.of(this.#key)
    this.#line = line
    line.leave(this)
    this.#hasWaited = true
    await line.take(place)
  }

  /** Gives a place up. Returns the instants that name the place that became free. */
  giveUp(place: Place): readonly number[] {
    const tails = this.#line?.giveUp(place) ?? place.tails
    this.#lines.forgetEmpty(this.#key)
    return tails
  }

  /**
   * Waits until the caller should ask again: after a time, when a unit of a counter is given back, or, behind others, when they
   * have asked.
   */
  async untilAsk(left: () => number, freeable: readonly string[]): Promise<void> {
    const line = this.#lines.of(this.#key)
    this.#line = line
    line.join(this)
    const isHead = line.head === this
    const ends = isHead ? freeable.map(counter => this.#lines.onFreed(counter, this)) : []
    await this.#sleep(isHead ? () => Math.min(left(), this.maxWait) : () => this.maxWait)
    for (const end of ends) end()
  }

  wake(): void {
    this.#wake?.()
  }

  /** Leaves the line. */
  leave(): void {
    this.isOver = true
    this.#line?.leave(this)
    this.#lines.forgetEmpty(this.#key)
  }

  async #sleep(left: () => number): Promise<void> {
    this.#hasWaited = true
    await new Promise<void>(resolve => {
      const forget = waitingRoom.alarms.set(left, resolve)
      this.#wake = () => {
        forget()
        resolve()
      }
    })
    this.#wake = undefined
  }
}
