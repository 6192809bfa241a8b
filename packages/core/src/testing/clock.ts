import { type Duration, toMicros } from '../base/duration.ts'
import { describe, HaltError } from '../base/errors.ts'

/**
 * A clock for stores in tests, which stands still until the test moves it.
 *
 * @example
 * const clock = new ManualClock()
 * const store = new InMemoryStore({ clock: clock.now })
 * clock.advance('10s')
 */
export class ManualClock {
  /** The clock's time, Unix milliseconds. Bound to the clock, so that `clock.now` can be given to a store. */
  readonly now: () => number = () => this.#micros / 1000
  #micros: number

  /**
   * @param startMs Unix milliseconds; default the next whole second
   * @throws HaltError `HALT_E_OPTION` if `startMs` is not an instant
   */
  constructor(startMs: number = Math.ceil(Date.now() / 1000) * 1000) {
    this.#micros = typeof startMs === 'number' ? Math.round(startMs * 1000) : Number.NaN
    if (Number.isSafeInteger(this.#micros) && this.#micros >= 0) return
    const fix = "Give Unix milliseconds: Date.parse('2026-01-31T23:59:00Z')."
    throw new HaltError('HALT_E_OPTION', `A clock cannot start at ${describe(startMs)}.`, fix)
  }

  /**
   * Moves the clock forward, exact to the microsecond.
   *
   * @param by seconds (fractions and 0 are allowed), or a text like `"10s"`
   * @throws HaltError `HALT_E_DURATION` if `by` is not a duration, or would move the clock back
   */
  advance(by: Duration): void {
    const micros = toMicros(by)
    if (micros >= 0 && Number.isSafeInteger(this.#micros + micros)) {
      this.#micros += micros
      return
    }
    const fix = 'Give seconds from 0 (1.5), or a decimal with a unit ("500ms", "30d").'
    throw new HaltError('HALT_E_DURATION', `A clock cannot advance by ${describe(by)}.`, fix)
  }
}

/**
 * A clock for stores in tests that use fake timers, Unix milliseconds. It follows the faked `Date` of Vitest, Jest or Sinon, and
 * the real one where no fake timers are installed.
 *
 * The default clocks of stores do not: they read `performance.now`, which they took from the runtime when they were loaded.
 *
 * @example
 * vi.useFakeTimers()
 * const store = new InMemoryStore({ clock: fakeTimersClock })
 * vi.advanceTimersByTime(30_000)
 */
export function fakeTimersClock(): number {
  // Date is looked up at each call, because fake timers replace it.
  return Date.now()
}
