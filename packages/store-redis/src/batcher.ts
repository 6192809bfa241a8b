import type { Group, Evaluation } from '@halt/core/store'

import { PendingCalls } from './pending-calls.ts'
import { loadOf } from './server-load.ts'

interface Entry {
  readonly group: Group
  readonly load: number
  readonly resolve: (evaluation: Evaluation) => void
  readonly reject: (error: unknown) => void
}

/** Sends groups in one call and gives each its verdict or its error, in order. */
export type Send = (groups: readonly Group[]) => Promise<readonly (Evaluation | Error)[]>

interface Timers {
  readonly setTimeout: (callback: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  readonly setImmediate?: (callback: () => void) => unknown
}

// Taken now: a test that fakes the clock must not stop the calls. Not every runtime has setImmediate.
const {
  setTimeout,
  clearTimeout,
  setImmediate: atEndOfTurn = queueMicrotask,
} = globalThis as unknown as Timers
const clock = performance.now.bind(performance)

// The most work of one call, in units of workOf: it holds the server for 1 to 2 ms.
const MAX_CALL_LOAD = 512
// The most work that is sent at once, since Redis works off all that one connection has sent before it serves another.
// What is beyond goes out with each answer, and without answers by one call each millisecond.
const MAX_PENDING_LOAD = 4 * MAX_CALL_LOAD
// So many checks are worth a second call beside the one that is out: the server decides those while we write these.
const MIN_PARALLEL_CHECKS = 24
// No check waits for longer until more have gathered.
const MAX_WAIT_MS = 1

/**
 * Gathers checks into few calls. What comes in one turn of the event loop goes out together: at once when nothing is out;
 * else when an answer comes, when enough has gathered, or after a millisecond, whatever is out. Exact: each group is
 * decided whole, in order of arrival.
 */
export class Batcher {
  readonly #send: Send
  readonly #pending = new PendingCalls()
  #waiting: Entry[] = []
  #load = 0
  #lastSent = 0
  #lastSize = 0
  #scheduled = false
  #timer: unknown

  constructor(send: Send) {
    this.#send = send
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

  #schedule(): void {
    this.#scheduled = true
    const flush = (): void => {
      this.#scheduled = false
      // An answer may have sent them already, and others have come since.
      if (this.#waiting.length === 0) return
      if (this.#isDue()) this.#flush()
      else this.#wait()
    }
    // A check that comes after the answer to the one before it does not wait for anything.
    if (this.#lastSize > 1) atEndOfTurn(flush)
    else queueMicrotask(flush)
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length > 0) this.#flush()
    }, MAX_WAIT_MS)
  }

  #isDue(): boolean {
    return this.#isWorthCall() || clock() - this.#lastSent >= MAX_WAIT_MS
  }

  /** Whether those that wait are enough for a call now, whatever the time. */
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
    // Halved, where both halves are enough: else all would wait for the one call, and then the server for all of them.
    const isSplit = this.#pending.calls === 0 && this.#waiting.length >= 2 * MIN_PARALLEL_CHECKS
    const maxLoad = isSplit ? Math.min(MAX_CALL_LOAD, this.#load / 2) : MAX_CALL_LOAD
    do this.#sendOne(maxLoad)
    while (this.#waiting.length > 0 && this.#pending.load < MAX_PENDING_LOAD)
    if (this.#waiting.length > 0) this.#wait()
  }

  /** Sends the first that wait: at least one, and no more work than `most` if there are several. */
  #sendOne(maxLoad: number): void {
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
    void this.#call(entries, load)
  }

  async #call(entries: readonly Entry[], load: number): Promise<void> {
    const pending = this.#pending.sent(load, this.#lastSent)
    try {
      const evaluations = await this.#send(entries.map(entry => entry.group))
      this.#pending.settled(pending, load)
      for (const [i, { resolve, reject }] of entries.entries()) {
        const evaluation = evaluations[i]
        if (evaluation === undefined || evaluation instanceof Error)
          reject(evaluation ?? new Error('no reply for a group'))
        else resolve(evaluation)
      }
    } catch (error) {
      this.#pending.settled(pending, load)
      for (const { reject } of entries) reject(error)
    }
    if (this.#waiting.length > 0 && this.#isWorthCall()) this.#flush()
  }
}
