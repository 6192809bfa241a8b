import { afterFreeTime } from './free-time.ts'

/**
 * Settles as `promise` does, or rejects with `late()` when it has not after some milliseconds in which the event loop was free
 * to hear of it. With `quiet`, the wait does not keep the process alive.
 */
export function within<T>(promise: PromiseLike<T>, ms: number, late: () => Error, quiet = false): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => reject(late()), quiet)
    promise.then(
      value => {
        wait.cancel()
        resolve(value)
      },
      error => {
        wait.cancel()
        reject(error)
      },
    )
  })
}

/** Whether a value is a promise or behaves as one. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

/**
 * Whether a value is a promise where none may be: a function that is to answer at once was written `async`. Nobody waits
 * for it, so what it may reject with is heard here, or it would end the process.
 */
export function isStrayPromise(value: unknown): boolean {
  if (!isPromise(value)) return false
  value.then(undefined, () => {})
  return true
}
