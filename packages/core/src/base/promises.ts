import { type EventLoop, eventLoop, type Timer } from './event-loop.ts'

// A wait is cut into this many slices. While the loop is busy, the wait counts at most the running slice.
const SLICES = 4

/** The length of one slice of a wait, in milliseconds. */
export function sliceOf(ms: number): number {
  // Runtimes round a fraction of a millisecond down.
  return Math.max(1, Math.ceil(ms / SLICES))
}

/**
 * Measures the time in which the event loop was free to read a reply, in milliseconds.
 *
 * It advances while a timer runs, at most by the delay of the timer. When the process computes, collects garbage, or waits
 * for a processor, its timers are late, and the free time does not advance.
 */
export class FreeTime {
  readonly #loop: EventLoop
  #passed = 0
  #since = 0
  #slice = 0

  constructor(loop: EventLoop) {
    this.#loop = loop
  }

  now(): number {
    return this.#passed + (this.#slice === 0 ? 0 : Math.min(this.#loop.now() - this.#since, this.#slice))
  }

  /** Calls back after some milliseconds. Only one timer may run at a time. */
  after(ms: number, callback: () => void): Timer | number {
    this.#since = this.#loop.now()
    this.#slice = ms
    return this.#loop.after(ms, () => {
      this.#passed += ms
      this.#slice = 0
      callback()
    })
  }
}

/** A wait that {@link afterFreeTime} started. */
export interface FreeWait {
  /** The milliseconds since its start in which the event loop was free. */
  readonly passed: number
  /** Ends the wait without calling back. */
  cancel(): void
}

/**
 * Calls back after the event loop has been free for `ms` milliseconds and has then read its sockets once more. A reply that
 * has reached this process by then has been read. With `quiet`, the wait does not keep the process alive.
 */
export function afterFreeTime(
  ms: number,
  callback: () => void,
  quiet = false,
  loop: EventLoop = eventLoop,
): FreeWait {
  const time = new FreeTime(loop)
  const slice = sliceOf(ms)
  let timer: Timer | number | undefined
  let isOver = false
  const end = (): void => {
    if (!isOver) callback()
  }
  const wait = (): void => {
    const left = ms - time.now()
    if (left <= 0) return loop.afterRead(end)
    timer = time.after(Math.min(left, slice), wait)
    if (quiet && typeof timer === 'object') timer.unref?.()
  }
  wait()
  return {
    get passed() {
      return time.now()
    },
    cancel() {
      isOver = true
      if (timer !== undefined) loop.cancel(timer)
    },
  }
}

/**
 * Settles as `promise` does, or rejects with `late()` if the promise is still pending after `ms` milliseconds in which the
 * event loop was free. With `quiet`, the wait does not keep the process alive.
 */
export function within<T>(promise: PromiseLike<T>, ms: number, late: () => Error, quiet = false): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = afterFreeTime(ms, () => reject(late()), quiet)
    const end = (): void => wait.cancel()
    Promise.resolve(promise).then(resolve, reject).then(end, end)
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

/** What rejects a promise. A rejected promise would first be noted as one that nobody handles, which is dear where thousands leave. */
export function rejected(reason: unknown): PromiseLike<never> {
  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  return { then: (_: unknown, reject: (reason: unknown) => void) => reject(reason) } as PromiseLike<never>
}
