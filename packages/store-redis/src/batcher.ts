import type { Group, Evaluation } from '@halt/core/store'

import { PendingCalls } from './pending-calls.ts'
import { loadOf } from './server-load.ts'

interface Entry {
  readonly group: Group
  readonly load: number
  readonly resolve: (evaluation: Evaluation) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends groups in one call. Resolves to the evaluation or the error of each group, in their order.
 *
 * @param now performance.now()
 */
export type SendGroups = (groups: readonly Group[], now: number) => Promise<readonly (Evaluation | Error)[]>

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

// The most load of one call, in units of loadOf: such a call holds the server for 1 to 2 ms.
const MAX_CALL_LOAD = 512
// The most load that may be pending, because Redis serves everything that one connection has sent before it serves another.
// Beyond it a call is sent with each reply, and one per millisecond without replies.
const MAX_PENDING_LOAD = 4 * MAX_CALL_LOAD
// With so many checks waiting, a second call pays: the server decides the first call while this process writes the second.
const MIN_PARALLEL_CHECKS = 24
// The longest that a check waits for other checks, milliseconds.
const MAX_WAIT_MS = 1

/**
 * Gathers checks into few calls. Checks of one turn of the event loop are sent together: at once if no call is pending,
 * else when a reply comes, when enough checks wait, or after a millisecond, whichever is first. Each group is decided
 * whole, in order of arrival, so batches change no decision.
 */
export class Batcher {
  readonly #send: SendGroups
  readonly #pending = new PendingCalls()
  #waiting: Entry[] = []
  #load = 0
  #lastSent = 0
  #lastSize = 0
  #scheduled = false
  #timer: unknown
  readonly #isTurnOnly: boolean

  /**
   * @param isTurnOnly sends the checks of a turn at the end of it, and lets none wait for a call of another turn. Workers need
   *   this, because a call ends with the request that made it.
   */
  constructor(send: SendGroups, isTurnOnly: boolean = isWorker()) {
    this.#send = send
    this.#isTurnOnly = isTurnOnly
  }

  add(group: Group): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const load = loadOf(group)
      this.#waiting.push({ group, load, resolve, reject })
      this.#load += load
      if (this.#scheduled) return
      if (this.#isDue()) this.#schedule()
      else this.#wait()
    })
  }

  /** Whether no check waits to be sent, and every call has its reply. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#pending.calls === 0
  }

  #schedule(): void {
    this.#scheduled = true
    // Checks that come one after the other, each after the reply to the last, wait for nothing.
    if (this.#lastSize > 1 && !this.#isTurnOnly) atEndOfTurn(this.#flushIfDue)
    else queueMicrotask(this.#flushIfDue)
  }

  readonly #flushIfDue = (): void => {
    this.#scheduled = false
    // A reply may have sent them meanwhile, and other checks may have come since.
    if (this.#waiting.length === 0) return
    if (this.#isDue()) this.#flush()
    else this.#wait()
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length > 0) this.#flush()
    }, MAX_WAIT_MS)
  }

  #isDue(): boolean {
    return this.#isTurnOnly || this.#isWorthCall() || clock() - this.#lastSent >= MAX_WAIT_MS
  }

  /** Whether enough checks wait to send a call before MAX_WAIT_MS has passed. */
  #isWorthCall(): boolean {
    const { calls, load } = this.#pending
    if (calls === 0) return true
    return (
      load < MAX_PENDING_LOAD &&
      (calls === 1 ? this.#waiting.length >= MIN_PARALLEL_CHECKS : this.#load >= MAX_CALL_LOAD)
    )
  }

  #flush(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    // Split in two if both halves are large enough, so that this process encodes one while the server runs the other.
    const isSplit = this.#pending.calls === 0 && this.#waiting.length >= 2 * MIN_PARALLEL_CHECKS
    const maxLoad = isSplit ? Math.min(MAX_CALL_LOAD, this.#load / 2) : MAX_CALL_LOAD
    do this.#sendFirst(maxLoad)
    while (this.#waiting.length > 0 && (this.#isTurnOnly || this.#pending.load < MAX_PENDING_LOAD))
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
    const settled = (): void => {
      this.#pending.settled(pending, load)
    }
    const continued = (): void => {
      if (this.#waiting.length > 0 && this.#isWorthCall()) this.#flush()
    }
    this.#send(
      entries.map(({ group }) => group),
      this.#lastSent,
    ).then(
      evaluations => {
        settled()
        for (let i = 0; i < entries.length; i++) deliver(entries[i] as Entry, evaluations[i])
        continued()
      },
      (error: unknown) => {
        settled()
        for (const { reject } of entries) reject(error)
        continued()
      },
    )
  }
}

function isWorker(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: unknown } }
  return navigator?.userAgent === 'Cloudflare-Workers'
}

function deliver({ resolve, reject }: Entry, evaluation: Evaluation | Error | undefined): void {
  if (evaluation === undefined || evaluation instanceof Error)
    reject(evaluation ?? new Error('no reply for a group'))
  else resolve(evaluation)
}
