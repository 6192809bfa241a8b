import { isStrayPromise } from '../base/promises.ts'

/** The latest instant of a clock, in microseconds: in the year 2243. A sum of it and any window is still exact. */
const LAST = 8.64e15

/** Whether a value is an instant in Unix microseconds. Nanoseconds are not. */
export function isInstant(micros: unknown): micros is number {
  return typeof micros === 'number' && micros >= 0 && micros <= LAST
}

/** Whether a value is an instant in Unix milliseconds. */
export function isMilliseconds(ms: unknown): ms is number {
  return typeof ms === 'number' && isInstant(ms * 1000)
}

/** Reads a clock of the application. Returns whole microseconds, or undefined if the clock shows no instant. */
export function readClock(clock: () => unknown): number | undefined {
  const ms = clock()
  if (isMilliseconds(ms)) return Math.floor(ms * 1000)
  isStrayPromise(ms)
  return undefined
}
