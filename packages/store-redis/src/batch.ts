import type { Group, Verdict } from '@halt/core/store'

interface Entry {
  readonly group: Group
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: unknown) => void
}

/** Sends groups in one call and gives each its verdict or its error, in order. */
export type Send = (groups: readonly Group[]) => Promise<readonly (Verdict | Error)[]>

// Taken now: a test that fakes the clock must not stop the calls. Not every runtime has it.
const { setImmediate: atEndOfTurn = queueMicrotask } = globalThis as unknown as {
  setImmediate?: (callback: () => void) => unknown
}

// More would block the server for too long at a time.
const MOST = 256
// Lua unpacks no more than eight thousand.
const MOST_KEYS = 4_000
// So many are worth a second call beside the one that is out: the server decides those while we write these.
const ENOUGH = 24
// A call that is out for longer does not hold the next ones up.
const PATIENCE_MS = 5

/**
 * Gathers checks into few calls: what comes in one turn of the event loop goes out together, at once when nothing is
 * out, else with whatever gathers until an answer comes. Exact: each group is decided whole, in order of arrival.
 */
export class Batch {
  readonly #send: Send
  #waiting: Entry[] = []
  #out = 0
  #lastSent = 0
  #lastSize = 0
  #scheduled = false

  constructor(send: Send) {
    this.#send = send
  }

  add(group: Group): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group, resolve, reject })
      if (!this.#scheduled && this.#isTime()) this.#schedule()
    })
  }

  #schedule(): void {
    this.#scheduled = true
    const flush = (): void => {
      this.#scheduled = false
      // An answer may have sent them already.
      if (this.#isTime()) this.#flush()
    }
    // Who checks one after the other is not to wait for anything.
    if (this.#lastSize > 1) atEndOfTurn(flush)
    else queueMicrotask(flush)
  }

  #isTime(): boolean {
    const { length } = this.#waiting
    return length > 0 && (length >= this.#wanted() || performance.now() - this.#lastSent >= PATIENCE_MS)
  }

  /** How many checks it takes for a call to go out now. */
  #wanted(): number {
    return this.#out === 0 ? 1 : this.#out === 1 ? ENOUGH : MOST
  }

  #flush(): void {
    const { length } = this.#waiting
    // Halved, where both halves are enough: else all would wait for the one call, and then the server for all of them.
    const size = Math.min(MOST, this.#out === 0 && length >= 2 * ENOUGH ? Math.ceil(length / 2) : length)
    while (this.#waiting.length > 0) {
      const fitting = this.#fitting(size)
      const entries = this.#waiting.length <= fitting ? this.#waiting : this.#waiting.slice(0, fitting)
      this.#waiting = this.#waiting.length <= fitting ? [] : this.#waiting.slice(fitting)
      this.#out++
      this.#lastSent = performance.now()
      this.#lastSize = entries.length
      void this.#deliver(entries)
    }
  }

  /** How many of those that wait, at most `size` and at least one, have keys enough for one call. */
  #fitting(size: number): number {
    const waiting = this.#waiting
    let keys = 0
    for (let i = 0; i < size && i < waiting.length; i++) {
      // Beside its demands a penalty and an idempotency key.
      keys += (waiting[i] as Entry).group.demands.length + 2
      if (keys > MOST_KEYS) return Math.max(1, i)
    }
    return size
  }

  async #deliver(entries: readonly Entry[]): Promise<void> {
    try {
      const verdicts = await this.#send(entries.map(entry => entry.group))
      this.#out--
      for (const [i, { resolve, reject }] of entries.entries()) {
        const verdict = verdicts[i]
        if (verdict === undefined || verdict instanceof Error)
          reject(verdict ?? new Error('no reply for a group'))
        else resolve(verdict)
      }
    } catch (error) {
      this.#out--
      for (const { reject } of entries) reject(error)
    }
    if (this.#waiting.length >= this.#wanted()) this.#flush()
  }
}
