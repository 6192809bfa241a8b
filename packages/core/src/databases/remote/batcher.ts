import type { Group } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { type Load, PendingCalls, PERIOD_MS } from './pending-calls.ts'

/** A caller that waits for the evaluation of its group. */
export interface Asker {
  readonly group: Group
  readonly resolve: (evaluation: Evaluation) => void
  readonly reject: (error: unknown) => void
}

interface Entry extends Asker {
  readonly load: number
}

/**
 * Sends groups in one call. Resolves to the evaluation or the error of each group, in their order.
 *
 * @param now performance.now()
 */
export type SendGroups = (groups: readonly Group[], now: number) => Promise<readonly (Evaluation | Error)[]>

/** How many groups a server takes at once. The store chooses the unit of the load. */
export interface BatchRules {
  /** The load of a group. */
  readonly loadOf: (group: Group) => number
  /** The most load of one call. A group with more is sent alone. */
  readonly maxLoad: number
  /** With so many checks waiting and no call pending, two calls pay instead of one. */
  readonly minParallel: number
  /** Whether another call pays while some are pending, although the waiting checks have not waited for a millisecond. */
  readonly isWorthCall: (pending: Load, waiting: Load) => boolean
  /** Whether the rest of the waiting checks follows a call at once. Default: as `isWorthCall`. */
  readonly hasRoom?: (pending: Load) => boolean
  /**
   * The most calls at once: up to it another call always pays, whatever `isWorthCall` says. The checks that come meanwhile wait for a
   * reply, or until a call has hung for a second. A Worker has no bound. Default: none.
   */
  readonly mostCalls?: number
}

interface Timers {
  readonly setTimeout: (callback: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  readonly setImmediate?: (callback: () => void) => unknown
}

// Read when the module loads, so that a test with fake timers does not stop the calls. Not every runtime has setImmediate.
const {
  setTimeout,
  clearTimeout,
  setImmediate: atEndOfTurn = queueMicrotask,
} = globalThis as unknown as Timers
const clock = performance.now.bind(performance)

// perf: bench "redis"; queueMicrotask() makes an AsyncResource, which takes a microsecond after a round trip.
const SETTLED = Promise.resolve()
// The longest that a check waits for other checks, milliseconds.
const MAX_WAIT_MS = 1

/**
 * Gathers checks into few calls. Checks of one turn of the event loop are sent together: at once if no call is pending,
 * else when a reply comes, when enough checks wait, or after a millisecond, whichever is first. Each group is decided
 * whole, in order of arrival, so batches change no decision.
 */
export class Batcher {
  readonly #send: SendGroups
  readonly #rules: BatchRules
  readonly #pending = new PendingCalls()
  readonly #isTurnOnly: boolean
  #waiting: Entry[] = []
  #load = 0
  #lastSent = 0
  #lastSize = 0
  #isScheduled = false
  #timer: unknown

  /**
   * @param isTurnOnly sends the checks of a turn at the end of it, and lets none wait for a call of another turn. Workers need
   *   this, because a call ends with the request that made it.
   */
  constructor(send: SendGroups, rules: BatchRules, isTurnOnly: boolean = isWorker()) {
    this.#send = send
    this.#rules = rules
    this.#isTurnOnly = isTurnOnly
  }

  add(group: Group): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const load = this.#rules.loadOf(group)
      this.#waiting.push({ group, load, resolve, reject })
      this.#load += load
      if (this.#isScheduled) return
      if (this.#isDue()) this.#schedule()
      else this.#wait()
    })
  }

  /** Whether no check waits to be sent, and every call has its reply. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#pending.count === 0
  }

  #schedule(): void {
    this.#isScheduled = true
    // Checks that come one after the other, each after the reply to the last, wait for nothing.
    if (this.#lastSize > 1 && !this.#isTurnOnly) atEndOfTurn(this.#flushIfDue)
    else void SETTLED.then(this.#flushIfDue)
  }

  readonly #flushIfDue = (): void => {
    this.#isScheduled = false
    // A reply may have sent them meanwhile, and other checks may have come since.
    if (this.#waiting.length === 0) return
    if (this.#isDue()) this.#flush()
    else this.#wait()
  }

  #wait(): void {
    const wait = this.#isFull() ? PERIOD_MS : MAX_WAIT_MS
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length === 0) return
      if (this.#isFull()) this.#wait()
      else this.#flush()
    }, wait)
  }

  /** Whether no other call may be sent before a reply comes. */
  #isFull(): boolean {
    const { mostCalls } = this.#rules
    if (mostCalls === undefined || this.#isTurnOnly || this.#pending.count < mostCalls) return false
    this.#pending.forgetOld(clock())
    return this.#pending.count >= mostCalls
  }

  #isDue(): boolean {
    if (this.#isTurnOnly) return true
    return !this.#isFull() && (this.#isWorthCall() || clock() - this.#lastSent >= MAX_WAIT_MS)
  }

  #isWorthCall(): boolean {
    if (this.#pending.count === 0) return true
    if (this.#rules.mostCalls !== undefined) return !this.#isFull()
    return this.#rules.isWorthCall(this.#pending, { count: this.#waiting.length, load: this.#load })
  }

  #goesOn(): boolean {
    if (this.#waiting.length === 0 || this.#isFull()) return false
    return this.#isTurnOnly || (this.#rules.hasRoom?.(this.#pending) ?? this.#isWorthCall())
  }

  #flush(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    const { maxLoad, minParallel } = this.#rules
    // Split in two if both halves are large enough, so that this process writes one while the server decides the other.
    const isSplit = this.#pending.count === 0 && this.#waiting.length >= 2 * minParallel
    const most = isSplit ? Math.min(maxLoad, Math.ceil(this.#load / 2)) : maxLoad
    do this.#sendFirst(most)
    while (this.#goesOn())
    if (this.#waiting.length > 0) this.#wait()
  }

  /** Sends the first waiting checks: at least one, and no more than `maxLoad` if there are several. */
  #sendFirst(maxLoad: number): void {
    let [count, load] = [0, 0]
    for (const entry of this.#waiting) {
      if (count > 0 && load + entry.load > maxLoad) break
      count++
      load += entry.load
    }
    const entries = count < this.#waiting.length ? this.#waiting.splice(0, count) : this.#waiting
    if (entries === this.#waiting) this.#waiting = []
    this.#load -= load
    this.#lastSize = count
    this.#lastSent = clock()
    this.#call(entries, load)
  }

  #call(entries: readonly Entry[], load: number): void {
    const pending = this.#pending.sent(load, this.#lastSent)
    const settled = (settle: (entry: Entry, i: number) => void): void => {
      this.#pending.settled(pending, load)
      entries.forEach(settle)
      if (this.#waiting.length > 0 && this.#isWorthCall()) this.#flush()
    }
    this.#send(
      entries.map(({ group }) => group),
      this.#lastSent,
    ).then(
      evaluations => settled((entry, i) => deliver(entry, evaluations[i])),
      (error: unknown) => settled(({ reject }) => reject(error)),
    )
  }
}

/** Whether this is a Worker of Cloudflare, in which a call ends with the request that made it. */
export function isWorker(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: unknown } }
  return navigator?.userAgent === 'Cloudflare-Workers'
}

export function deliver({ resolve, reject }: Asker, evaluation: Evaluation | Error | undefined): void {
  if (evaluation === undefined || evaluation instanceof Error)
    reject(evaluation ?? new Error('no reply for a group'))
  else resolve(evaluation)
}
