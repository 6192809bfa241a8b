import type { Duration } from '../base/duration.ts'
import { checkNames, checkWhole, type Fields, namesOf } from '../base/options-check.ts'
import type { CheckOptions } from '../check/check-options.ts'
import type { Decision } from '../check/decision.ts'
import type { Limiter } from '../limiter/limiter.ts'
import { partsOf } from '../limiter/assembly.ts'
import type { RequestView } from '../request/view.ts'
import type { Queue } from '../waiting/queue.ts'
import { type AbortSignalLike, readMaxWait } from '../waiting/acquire-options.ts'

/** How requests are held until it is their turn, instead of being refused. */
export interface DelayOptions {
  /** The longest wait. A request that would wait longer is refused at once. From 1 ms to 24 hours. Default `"30s"`. */
  readonly maxWait?: Duration | undefined
  /**
   * The most requests that are held at once. A further one is decided as without `delay`. Default 1000. Guards that got the same
   * object count together.
   */
  readonly most?: number | undefined
}

const OPTIONS = namesOf<DelayOptions>({ maxWait: true, most: true })
const DEFAULT_MOST = 1000

/**
 * Checks the `delay` option of a guard.
 *
 * @throws HaltError `HALT_E_MAX_WAIT`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkDelay(delay: DelayOptions | undefined): void {
  if (delay === undefined) return
  checkNames(delay as Fields, OPTIONS, 'delay')
  readMaxWait(delay.maxWait)
  checkWhole('most', delay.most ?? DEFAULT_MOST, 1, 1e6)
}

// By the object of the options, because an adapter makes a guard for each route and gives all of them one object.
const counts = new WeakMap<DelayOptions, { held: number }>()

/** The part of a limiter, or of its queue, by which requests wait. */
type Waiting<R> = Pick<Queue<R>, 'acquireView'>

/** Holds the requests of a guard until it is their turn. */
export class Delay<R> {
  readonly #limiter: Limiter<R>
  readonly #maxWait: Duration | undefined
  readonly #most: number
  readonly #count: { held: number }
  #waiting: Waiting<R> | Promise<Waiting<R>> | undefined

  constructor(limiter: Limiter<R>, options: DelayOptions) {
    const { maxWait, most = DEFAULT_MOST } = options
    this.#limiter = limiter
    if (canWait(limiter)) this.#waiting = limiter
    // Told here, and not to the first request.
    else partsOf(limiter)
    this.#maxWait = maxWait
    this.#most = most
    let count = counts.get(options)
    if (count === undefined) counts.set(options, (count = { held: 0 }))
    this.#count = count
  }

  /**
   * Decides a request when it is its turn, or at once if it must not wait. Resolves to undefined if its client left meanwhile.
   *
   * @param departure aborts when the client leaves. Undefined: nobody tells, so a request keeps its place.
   */
  decide(
    view: RequestView,
    options: CheckOptions<R>,
    departure: AbortSignalLike | undefined,
  ): Decision | Promise<Decision | undefined> {
    if (this.#count.held >= this.#most) return this.#limiter.checkView(view, options)
    return this.#hold(view, options, departure)
  }

  async #hold(
    view: RequestView,
    options: CheckOptions<R>,
    signal: AbortSignalLike | undefined,
  ): Promise<Decision | undefined> {
    this.#count.held++
    try {
      const waiting = (this.#waiting ??= this.#load())
      const ready = 'then' in waiting ? await waiting : waiting
      return await ready.acquireView(view, { ...options, maxWait: this.#maxWait, signal })
    } catch (error) {
      if (signal?.aborted === true) return undefined
      // A limiter that closes sends its waiting callers away. The request then gets the answer that it gets without a delay.
      if ((error as { code?: unknown } | undefined)?.code !== 'HALT_E_CLOSED') throw error
      return this.#limiter.checkView(view, options)
    } finally {
      this.#count.held--
    }
  }

  // A service that holds no requests never loads the wing, and most bundlers put it into a file of its own.
  async #load(): Promise<Waiting<R>> {
    const { queue } = await import('../waiting/queue.ts')
    return (this.#waiting = queue<R>(this.#limiter))
  }
}

function canWait<R>(limiter: Limiter<R>): limiter is Limiter<R> & Waiting<R> {
  return 'acquireView' in limiter
}
