import type { RateLimiter } from '../limiter.ts'
import { isPromise, within } from '../timers.ts'

/** What {@link callUser} needs of a limiter. */
export type Caretaker = Pick<RateLimiter<never>, 'warn' | 'callbackTimeout'>

/** What a user's function gave, or that it failed: threw, rejected, took too long. */
export type CallResult<T> = { readonly failed: false; readonly value: T } | { readonly failed: true }

/**
 * Calls a user's function within the time that one may take. What it throws, rejects or never gives becomes
 * `{ failed: true }` and one warning, never an error in a request.
 *
 * @param fix what follows for the request, told in the warning
 */
export function callUser<T>(
  { warn, callbackTimeout }: Caretaker,
  name: string,
  fix: string,
  call: () => T | Promise<T>,
): CallResult<T> | Promise<CallResult<T>> {
  const fail = (error: unknown): CallResult<T> => {
    const what = error instanceof Error ? error.message : String(error)
    warn({ code: 'HALT_W_CALLBACK', message: `${name} failed: ${what}.`, fix })
    return { failed: true }
  }
  try {
    const value = call()
    if (!isPromise(value)) return { failed: false, value }
    const late = (): Error => new Error(`no answer within ${callbackTimeout} ms`)
    return within(value as Promise<T>, callbackTimeout, late).then(
      found => ({ failed: false, value: found }),
      fail,
    )
  } catch (error) {
    return fail(error)
  }
}
