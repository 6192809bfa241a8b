import { afterFreeTime } from './free-time.ts'

/**
 * Settles as `promise` does, or rejects with `late()` if the promise is still pending after `ms` milliseconds in which the
 * event loop was free. With `quiet`, the wait does not keep the process alive.
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

/** Settles as `promise` does, or resolves to undefined after `ms` milliseconds in which the event loop was free. */
export function atMost<T>(ms: number, promise: T | PromiseLike<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => resolve(undefined))
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => wait.cancel())
  })
}
