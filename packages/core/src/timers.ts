/** The timers that every runtime has; typed here, so that the package needs no runtime's types. */
export interface Timer {
  unref?(): unknown
  ref?(): unknown
}

const host = globalThis as unknown as {
  setTimeout(callback: () => void, ms: number): Timer | number
  clearTimeout(timer: Timer | number): void
}

// What is longer fires at once.
const LONGEST_MS = 2 ** 31 - 1

/** Calls back after some milliseconds, 24 days at the most. With `quiet`, the wait does not keep the process alive. */
export function after(ms: number, callback: () => void, quiet = false): Timer | number {
  const timer = host.setTimeout(callback, Math.min(ms, LONGEST_MS))
  if (quiet && typeof timer === 'object') timer.unref?.()
  return timer
}

/** Takes a wait back. */
export function cancel(timer: Timer | number | undefined): void {
  if (timer !== undefined) host.clearTimeout(timer)
}

/** Settles as `promise` does, or rejects with `late()` when it has not after some milliseconds. */
export function within<T>(promise: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = after(ms, () => reject(late()))
    promise.then(
      value => {
        cancel(timer)
        resolve(value)
      },
      error => {
        cancel(timer)
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
