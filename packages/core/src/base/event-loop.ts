/** A timer, as far as a runtime tells it apart from a number; typed here, so that the package needs no runtime's types. */
export interface Timer {
  unref?(): unknown
  ref?(): unknown
}

/** What a wait needs of the runtime. Tests give one whose time they move by hand. */
export interface EventLoop {
  /** Milliseconds of a clock that never goes backwards. */
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

// Taken now: a test that fakes the timers does not fake the sockets. Not every runtime has it.
const { setImmediate: afterSockets } = globalThis as unknown as {
  setImmediate?: (callback: () => void) => unknown
}

// A runtime fires a longer timer at once.
const LONGEST_MS = 2 ** 31 - 1

/** The event loop of this process. */
export const eventLoop: EventLoop = {
  now: performance.now.bind(performance),
  after: (ms, callback) => host.setTimeout(callback, Math.min(ms, LONGEST_MS)),
  cancel: timer => host.clearTimeout(timer),
  // Timers come before the sockets in a turn of the loop, and setImmediate right after them.
  afterRead: callback => {
    if (afterSockets === undefined) host.setTimeout(callback, 0)
    else afterSockets(callback)
  },
}

/** Calls back after some milliseconds, 24 days at the most. The wait does not keep the process alive. */
export function afterQuietly(ms: number, callback: () => void): Timer | number {
  const timer = eventLoop.after(ms, callback)
  if (typeof timer === 'object') timer.unref?.()
  return timer
}
