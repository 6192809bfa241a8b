import { type EventLoop, eventLoop, outlivesRequest, type Timer } from '../base/event-loop.ts'
import { FreeTime, sliceOf, within } from '../base/promises.ts'
import { type Idler, UnderWay } from '../base/idleness.ts'

/**
 * A pending wait in a linked list, due at a free time. It is removed when it settles, so that it never reaches the old
 * generation.
 */
interface Wait {
  readonly due: number
  readonly fail: (error: unknown) => void
  before: Wait | undefined
  after: Wait | undefined
}

/** A timer of at most so many milliseconds may keep an idle process alive. */
const BRIEF_MS = 100

/**
 * One deadline for many calls. It rejects each call that has not settled after the same time, with one timer for all calls.
 *
 * The calls wait in the order of their arrival, so only the first due time needs a timer. The deadline counts only the time in
 * which the event loop was free to read a reply, and a call fails only after the loop has read once more. So a busy process
 * does not mistake a working store for a broken one.
 */
export class Deadline implements Idler {
  readonly #ms: number
  readonly #timeoutError: () => Error
  // perf: bench "redis"; ref() and unref() of each call take a microsecond after a round trip.
  readonly #isBrief: boolean
  readonly #loop: EventLoop
  readonly #time: FreeTime
  #first: Wait | undefined
  #last: Wait | undefined
  #timer: Timer | number | undefined
  // On Workers a timer ends with the request that started it. There each call has its own timer.
  #isShared = true
  readonly #alone = new UnderWay()
  #listeners: (() => void)[] = []

  constructor(ms: number, late: () => Error, loop: EventLoop = eventLoop) {
    this.#ms = ms
    this.#isBrief = sliceOf(ms) <= BRIEF_MS
    this.#timeoutError = late
    this.#loop = loop
    this.#time = new FreeTime(loop)
  }

  /** Whether no call waits for its answer. */
  get isIdle(): boolean {
    return this.#first === undefined && this.#alone.isIdle
  }

  async idle(): Promise<void> {
    if (this.#first !== undefined) await new Promise<void>(resolve => void this.#listeners.push(resolve))
    await this.#alone.idle()
  }

  /** Settles as `promise` does, or rejects at the deadline. */
  race<T>(promise: Promise<T>): Promise<T> {
    return this.follow(promise, identity, rethrow)
  }

  /**
   * Resolves to the result of `use` for the promise's value, or of `fail` for its error or for the deadline. A value that comes
   * after the deadline is passed to `use` as well, and its result is dropped.
   *
   * All of it is one promise, because each further promise costs about as much as the rest of this method.
   */
  follow<T, U>(promise: Promise<T>, use: (value: T) => U, fail: (error: unknown) => U): Promise<U> {
    if (!this.#isShared) return this.#followAlone(promise, use, fail)
    return new Promise((resolve, reject) => {
      const end = (error: unknown): void => {
        if (!this.#end(wait)) return
        try {
          resolve(fail(error))
        } catch (failure) {
          reject(failure as Error)
        }
      }
      const wait = this.#begin(end)
      promise.then(value => {
        try {
          resolve(use(value))
          this.#end(wait)
        } catch (error) {
          end(error)
        }
      }, end)
    })
  }

  async #followAlone<T, U>(
    promise: Promise<T>,
    use: (value: T) => U,
    fail: (error: unknown) => U,
  ): Promise<U> {
    this.#alone.begin()
    try {
      return await within(promise.then(use), this.#ms, this.#timeoutError).catch(fail)
    } finally {
      this.#alone.end()
    }
  }

  #begin(fail: Wait['fail']): Wait {
    const before = this.#last
    const wait: Wait = { due: this.#time.now() + this.#ms, fail, before, after: undefined }
    if (before === undefined) this.#first = wait
    else before.after = wait
    this.#last = wait
    if (this.#timer === undefined) this.#arm(wait)
    else if (!this.#isBrief && typeof this.#timer === 'object') this.#timer.ref?.()
    return wait
  }

  /** Ends a wait; false when it had already ended. */
  #end(wait: Wait): boolean {
    const { before, after: next } = wait
    if (before === undefined && this.#first !== wait) return false
    if (before === undefined) this.#first = next
    else before.after = next
    if (next === undefined) this.#last = before
    else next.before = before
    wait.before = wait.after = undefined
    // The timer stays for the next call, but it does not keep an idle process alive for long.
    if (this.#first === undefined) this.#rest()
    return true
  }

  #rest(): void {
    if (!this.#isBrief && typeof this.#timer === 'object') this.#timer.unref?.()
    for (const listener of this.#listeners.splice(0)) listener()
  }

  #arm(first: Wait): void {
    const ms = Math.min(sliceOf(this.#ms), Math.max(1, first.due - this.#time.now()))
    this.#timer = this.#time.after(ms, () => this.#fire())
    this.#isShared = outlivesRequest(this.#timer)
  }

  #fire(): void {
    this.#timer = undefined
    const first = this.#first
    if (first === undefined) return
    // Timers may fire up to a millisecond early.
    const now = this.#time.now() + 1
    if (first.due <= now) this.#loop.afterRead(() => this.#expire(now))
    else this.#arm(first)
  }

  #expire(now: number): void {
    while (this.#first !== undefined && this.#first.due <= now) this.#first.fail(this.#timeoutError())
    if (this.#first !== undefined && this.#timer === undefined) this.#arm(this.#first)
  }
}

function identity<T>(value: T): T {
  return value
}

function rethrow(error: unknown): never {
  throw error
}
