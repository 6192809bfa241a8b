import { describe } from './duration.ts'
import { messageOf, type Warn } from './errors.ts'
import { isPromise, isStrayPromise, within } from './timers.ts'

/**
 * Calls a function of the application that may answer with a promise. Gives what `use` makes of its value, or what `fail` makes
 * of what it throws, of what it rejects with, or of its silence.
 *
 * @param timeoutMs how long a promise may take, milliseconds in which the event loop is free
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
 * Calls a function of the application that must answer at once. A throw, or a promise, is warned of and counts as no answer.
 */
export function callAtOnce(warn: Warn, name: string, call: () => unknown): unknown {
  try {
    const value = call()
    if (!isStrayPromise(value)) return value
    warnOfCallback(
      warn,
      `${name} returned a promise, and Halt does not wait for it.`,
      'Let it answer at once: do slow work before the limiter.',
    )
  } catch (error) {
    warnOfCallback(warn, `${name} threw: ${messageOf(error)}.`, 'Return undefined where a request has none.')
  }
  return undefined
}

/**
 * Reads an id that a function of the application gave: text of more than white space, a finite number or a bigint. Any other
 * value is no id.
 */
export function readId(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** As {@link callAtOnce} for an id. A value that cannot be an id is warned of, and counts as no id. */
export function callForId(warn: Warn, name: string, call: () => unknown): string | undefined {
  const value = callAtOnce(warn, name, call)
  const id = readId(value)
  if (id === undefined && value !== undefined && value !== null && typeof value !== 'string')
    warnOfCallback(
      warn,
      `${name} gave ${describe(value)}, which is not an id.`,
      'Give a text or a number: String(user._id).',
    )
  return id
}

/** Warns of what a function of the application did. */
export function warnOfCallback(warn: Warn, message: string, fix: string): void {
  warn({ code: 'HALT_W_CALLBACK', message, fix })
}
