import { type Duration, parseDuration } from '../duration.ts'

/**
 * A clock that stands still until it is told to move: for stores in tests.
 *
 * @example
 * const clock = new ManualClock()
 * const store = new InMemoryStore({ clock: clock.now })
 * clock.advance('10s')
 */
export class ManualClock {
  /** The clock's time, Unix milliseconds. Bound: it can be handed over as it is. */
  readonly now: () => number = () => this.#micros / 1000
  #micros: number

  /** @param startMs Unix milliseconds; default the next whole second, since quotas follow the real calendar */
  constructor(startMs: number = Math.ceil(Date.now() / 1000) * 1000) {
    this.#micros = Math.round(startMs * 1000)
  }

  /** Moves the clock on by 1 ms or more: seconds, fractions allowed, or a text like `"10s"`. */
  advance(by: Duration): void {
    this.#micros += parseDuration(by, 'advance')
  }
}
