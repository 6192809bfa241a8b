/** A timer object of the runtime. Declared here, so that the package needs no runtime's types. */
export interface Timer {
  unref?(): unknown
  ref?(): unknown
}

/** The functions of the runtime that a wait needs. Tests pass a loop whose time they move by hand. */
export interface EventLoop {
  /** A clock that never goes back, in milliseconds. */
  now(): number
  /** Calls back after some milliseconds. */
  after(ms: number, callback: () => void): Timer | number
  cancel(timer: Timer | number): void
  /** Calls back after the loop has read from its sockets once more. */
  afterRead(callback: () => void): void
}

const host = globalThis as unknown as {
  setTimeout(callback: () => void, ms: number): Timer | number
  clearTimeout(timer: Timer | number): void
}

// Read at import, because a test that fakes the timers does not fake the sockets. Not every runtime has setImmediate.
const { setImmediate: afterSockets } = globalThis as unknown as {
  setImmediate?: (callback: () => void) => unknown
}

// Runtimes fire a longer timer immediately.
const LONGEST_MS = 2 ** 31 - 1

/** The event loop of this process. */
export const eventLoop: EventLoop = {
  now: performance.now.bind(performance),
  after: (ms, callback) => host.setTimeout(callback, Math.min(ms, LONGEST_MS)),
  cancel: timer => host.clearTimeout(timer),
  // In a turn of the loop timers run before the sockets are read, and setImmediate callbacks run right after.
  afterRead: callback => {
    if (afterSockets === undefined) host.setTimeout(callback, 0)
    else afterSockets(callback)
  },
}

/** The event loop, with a clock that is looked up at each call, so that fake timers in a test move it together with the timers. */
export const followsFakeTimers: EventLoop = { ...eventLoop, now: () => performance.now() }

/** Calls back after some milliseconds, 24 days at most. The wait does not keep the process alive. */
export function afterQuietly(ms: number, callback: () => void): Timer | number {
  const timer = eventLoop.after(ms, callback)
  if (typeof timer === 'object') timer.unref?.()
  return timer
}

/**
 * Whether a timer outlives the request that started it, so that later requests may rely on it. On Workers it does not. There a timer is a
 * number, or an object as on Node with the flag `nodejs_compat`.
 */
export function outlivesRequest(timer: Timer | number): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: unknown } }
  return typeof timer === 'object' && navigator?.userAgent !== 'Cloudflare-Workers'
}

const { timeOrigin } = performance

/** The time in whole microseconds since the Unix epoch, by a clock of this process that never goes back. */
export function nowMicros(): number {
  return Math.floor((timeOrigin + eventLoop.now()) * 1000)
}
