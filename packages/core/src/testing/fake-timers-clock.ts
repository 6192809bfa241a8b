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
