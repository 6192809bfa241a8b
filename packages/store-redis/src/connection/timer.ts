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
export function quietly(ms: number, callback: () => void): Timer {
  const handle = host.setTimeout(callback, ms)
  // Node, Bun and Deno give an object; browsers and Workers a number, and have no process to keep.
  if (typeof handle === 'object') handle.unref?.()
  return { cancel: () => host.clearTimeout(handle) }
}

/**
 * Settles as `promise` does, or rejects with `late()` after some milliseconds in which the event loop was free to hear of it.
 */
export function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return raced(ms, promise, late, true)
}

/** As {@link within}, and the wait keeps the process alive: for what a program awaits before it does anything else. */
export function awake<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return raced(ms, promise, late, false)
}

function raced<T>(ms: number, promise: Promise<T>, late: () => Error, quiet: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => reject(late()), quiet)
    promise.then(resolve, reject).finally(() => wait.cancel())
  })
}

/** Takes a rejection that somebody else hears of, or nobody needs to. */
export function ignore(): void {}

/** Resolves after some milliseconds; the wait never keeps the process alive. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => void quietly(ms, resolve))
}
