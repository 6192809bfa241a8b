import { type EventLoop, eventLoop, type Timer } from './event-loop.ts'

// A wait is cut into so many slices. A loop that is busy in one of them loses no more than that one.
const SLICES = 4

/** The slices, in milliseconds, that a wait is cut into. */
export function sliceOf(ms: number): number {
  // Runtimes cut fractions of a millisecond off.
  return Math.max(1, Math.ceil(ms / SLICES))
}

/**
 * The time in which the event loop was free to read an answer, in milliseconds.
 *
 * It passes while a timer runs, and by no more than the timer was set for. While the process computes, collects garbage, or
 * waits for a processor, its timers are late, and the free time stands still.
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

/** A wait that is not over. */
export interface FreeWait {
  /** Milliseconds of it in which the event loop was free. */
  readonly passed: number
  /** Takes it back. */
  cancel(): void
}

/**
 * Calls back when the event loop has been free for some milliseconds, and has then read from its sockets once more: an answer
 * that is in this process by then has been heard. With `quiet`, the wait does not keep the process alive.
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
