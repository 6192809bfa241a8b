import { describe } from '../base/duration.ts'
import { messageOf, type Warn } from '../base/errors.ts'
import { isStrayPromise } from '../base/timers.ts'
import { readId } from './identity.ts'

/** Calls a function of the application that is to answer at once; what it throws is told, and is no answer. */
export function callApp(warn: Warn, name: string, callback: () => unknown): unknown {
  try {
    const value = callback()
    if (!isStrayPromise(value)) return value
    complain(
      warn,
      `${name} returned a promise, for which nobody waits.`,
      `Let it answer at once: what takes time belongs before the limiter.`,
    )
  } catch (error) {
    const what = messageOf(error)
    complain(warn, `${name} threw: ${what}.`, 'Return undefined where a request has none.')
  }
  return undefined
}

/** As {@link callApp} for an id: one that is neither text nor number is told, and is none. */
export function askId(warn: Warn, name: string, callback: () => unknown): string | undefined {
  const value = callApp(warn, name, callback)
  const id = readId(value)
  if (id === undefined && value !== undefined && value !== null && typeof value !== 'string')
    complain(
      warn,
      `${name} gave ${describe(value)}, which is no id.`,
      'Give a text or a number: String(user._id).',
    )
  return id
}

function complain(warn: Warn, message: string, fix: string): void {
  warn({ code: 'HALT_W_CALLBACK', message, fix })
}
