/** A callback's result: a value or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** Whether a value is a promise or behaves as one. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

/**
 * Whether a value is a promise that nobody will wait for, because its function had to answer at once and was written `async`.
 * Its rejection is handled here. Otherwise it would end the process.
 */
export function isStrayPromise(value: unknown): boolean {
  if (!isPromise(value)) return false
  value.then(undefined, () => {})
  return true
}

/**
 * Returns the value that a function of the application had to give at once.
 *
 * @param name the function, for the message
 * @throws TypeError if the value is a promise
 */
export function atOnce<T>(value: T, name = 'it'): T {
  if (isStrayPromise(value)) throw new TypeError(`${name} returned a promise, and Halt does not wait for it`)
  return value
}
