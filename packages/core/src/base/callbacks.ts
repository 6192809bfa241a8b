import { describe, messageOf } from './errors.ts'
import type { Warn } from './warnings.ts'
import { isPromise, isStrayPromise, within } from './promises.ts'

/**
 * Calls a function of the application that may return a promise. Returns `use(value)`, or `fail(error)` if the function
 * throws, rejects, or does not settle in time.
 *
 * @param timeoutMs how long a promise may take, in milliseconds in which the event loop is free
 */
export function callInTime<T, U>(
  call: () => T | PromiseLike<T>,
  timeoutMs: number,
  use: (value: T) => U,
  fail: (error: unknown) => U,
): U | Promise<U> {
  try {
    const value = call()
    if (!isPromise(value)) return use(value)
    const late = (): Error => new Error(`no answer within ${timeoutMs} ms`)
    return within(value, timeoutMs, late).then(use, fail)
  } catch (error) {
    return fail(error)
  }
}

/**
 * Calls a function of the application that must not return a promise. If it throws or returns a promise, warns and returns
 * undefined.
 */
export function callAtOnce(warn: Warn, name: string, call: () => unknown): unknown {
  try {
    const value = call()
    if (!isStrayPromise(value)) return value
    warnOfCallback(
      warn,
      `${name} returned a promise, and Halt does not wait for it.`,
      'Return the value itself, and do slow work before the limiter.',
    )
  } catch (error) {
    warnOfCallback(
      warn,
      `${name} threw: ${messageOf(error)}.`,
      'Return undefined where a request has no value.',
    )
  }
  return undefined
}

/**
 * Reads an id that the application gave. An id is text with more than white space, a finite number or a bigint; any other
 * value gives undefined.
 */
export function readId(value: unknown): string | undefined {
  // Nearly every id begins with a letter or a digit, so its white space need not be looked for.
  if (typeof value === 'string')
    return isVisible(value.charCodeAt(0)) || value.trim() !== '' ? value : undefined
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

function isVisible(code: number): boolean {
  return code > 32 && code < 127
}

/** Calls a function of the application for an id, as {@link callAtOnce}. Warns of a value that cannot be an id. */
export function callForId(warn: Warn, name: string, call: () => unknown): string | undefined {
  const value = callAtOnce(warn, name, call)
  const id = readId(value)
  if (id === undefined && value !== undefined && value !== null && typeof value !== 'string')
    warnOfCallback(
      warn,
      `${name} returned ${describe(value)}, which is not an id.`,
      'Return a text or a number: String(user._id).',
    )
  return id
}

/** Warns that a function of the application misbehaved. */
export function warnOfCallback(warn: Warn, message: string, fix: string): void {
  warn({ code: 'HALT_W_CALLBACK', message, fix })
}
