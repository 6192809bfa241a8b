import { afterFreeTime } from '@halt/core/store'

/** A wait that can be taken back. */
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

/** Calls back after some milliseconds; the wait never keeps the process alive. */
export function unrefTimeout(ms: number, callback: () => void): Timer {
  const handle = host.setTimeout(callback, ms)
  // Node, Bun and Deno give an object; browsers and Workers a number, and have no process to keep.
  if (typeof handle === 'object') handle.unref?.()
  return { cancel: () => host.clearTimeout(handle) }
}

/**
 * Settles as `promise` does, or rejects with `late()` after some milliseconds in which the event loop was free to hear of it.
 */
export function withTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return raceTimeout(ms, promise, onTimeout, true)
}

/** As {@link withTimeout}, and the wait keeps the process alive: for what a program awaits before it does anything else. */
export function withKeepAliveTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return raceTimeout(ms, promise, onTimeout, false)
}

function raceTimeout<T>(ms: number, promise: Promise<T>, onTimeout: () => Error, unref: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => reject(onTimeout()), unref)
    promise.then(resolve, reject).finally(() => wait.cancel())
  })
}

/** Takes a rejection that somebody else hears of, or nobody needs to. */
export function ignore(): void {}

/** Resolves after some milliseconds; the wait never keeps the process alive. */
export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => void unrefTimeout(ms, resolve))
}
