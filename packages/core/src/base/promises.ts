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
