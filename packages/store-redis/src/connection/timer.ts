import { afterFreeTime } from '@halt/core/store'

/** A timer that can be cancelled. */
export interface Timer {
  cancel(): void
}

interface Handle {
  unref?(): unknown
}

const host = globalThis as unknown as {
  setTimeout(callback: () => void, ms: number): Handle | number
  clearTimeout(handle: Handle | number): void
}

/** Calls a function after some milliseconds. The timer does not keep the process alive. */
export function unrefTimeout(ms: number, callback: () => void): Timer {
  const handle = host.setTimeout(callback, ms)
  // Node, Bun and Deno return an object. Browsers and Workers return a number, and have no process to keep alive.
  if (typeof handle === 'object') handle.unref?.()
  return { cancel: () => host.clearTimeout(handle) }
}

/**
 * Settles as `promise` does, or rejects with `onTimeout()` after some milliseconds in which the event loop was free.
 */
export function withTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return raceTimeout(ms, promise, onTimeout, true)
}

/** Like {@link withTimeout}, but the timer keeps the process alive, for calls that a program awaits when it starts. */
export function withKeepAliveTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return raceTimeout(ms, promise, onTimeout, false)
}

function raceTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error, unref: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => reject(onTimeout()), unref)
    promise.then(resolve, reject).finally(() => wait.cancel())
  })
}

/** Ignores a rejection that is handled elsewhere, or needs no handling. */
export function ignore(): void {}

/** Resolves after some milliseconds. The timer does not keep the process alive. */
export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => void unrefTimeout(ms, resolve))
}
