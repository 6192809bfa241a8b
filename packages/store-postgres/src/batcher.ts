import type { Evaluation, Group } from '@halt/core/store'

interface Entry {
  readonly group: Group
  readonly resolve: (evaluation: Evaluation) => void
  readonly reject: (error: unknown) => void
}

/** Sends groups in one statement. Resolves to the evaluation or the error of each group, in their order. */
export type SendGroups = (groups: readonly Group[]) => Promise<readonly (Evaluation | Error)[]>

interface Timers {
  readonly setTimeout: (callback: () => void, ms: number) => unknown
  readonly setImmediate?: (callback: () => void) => unknown
}

// Read when the module loads, so that a test with fake timers does not stop the calls. Not every runtime has setImmediate.
const { setTimeout, setImmediate: atEndOfTurn = queueMicrotask } = globalThis as unknown as Timers
const clock = performance.now.bind(performance)

// The most checks of one statement, which then holds its locks for some 3 ms.
const MAX_CHECKS = 64
// With so many checks waiting, another statement pays while others are pending.
const MIN_PARALLEL_CHECKS = 24
// More statements at once only wait for each other's locks.
const MAX_PENDING = 4
// The longest that a check waits for other checks, milliseconds.
const MAX_WAIT_MS = 1

/**
 * Gathers checks into few statements. Checks of one turn of the event loop are sent together: at once if no statement is
 * pending, else when a reply comes, when enough checks wait, or after a millisecond, whichever is first. Each group is decided
 * whole, so batches change no decision.
 */
export class Batcher {
  readonly #send: SendGroups
  #waiting: Entry[] = []
  #pending = 0
  #lastSent = 0
  #lastSize = 0
  #isScheduled = false
  #hasTimer = false

  constructor(send: SendGroups) {
    this.#send = send
  }

  add(group: Group): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group, resolve, reject })
      if (this.#isScheduled) return
      if (this.#isDue()) this.#schedule()
      else this.#wait()
    })
  }

  /** Whether no check waits to be sent, and every statement has its reply. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#pending === 0
  }

  #schedule(): void {
    this.#isScheduled = true
    // Checks that come one after the other, each after the reply to the last, wait for nothing.
    if (this.#lastSize > 1) atEndOfTurn(this.#flushIfDue)
    else queueMicrotask(this.#flushIfDue)
  }

  readonly #flushIfDue = (): void => {
    this.#isScheduled = false
    if (this.#waiting.length === 0) return
    if (this.#isDue()) this.#flush()
    else this.#wait()
  }

  #wait(): void {
    if (this.#hasTimer) return
    this.#hasTimer = true
    setTimeout(() => {
      this.#hasTimer = false
      if (this.#waiting.length > 0) this.#flush()
    }, MAX_WAIT_MS)
  }

  #isDue(): boolean {
    return this.#isWorthCall() || clock() - this.#lastSent >= MAX_WAIT_MS
  }

  /** Whether enough checks wait to send a statement before MAX_WAIT_MS has passed. */
  #isWorthCall(): boolean {
    return this.#pending === 0 || (this.#pending < MAX_PENDING && this.#waiting.length >= MIN_PARALLEL_CHECKS)
  }

  #flush(): void {
    // Split in two if both halves are large enough, so that two processors of the server decide them.
    const isSplit = this.#pending === 0 && this.#waiting.length >= 2 * MIN_PARALLEL_CHECKS
    const most = isSplit ? Math.min(MAX_CHECKS, Math.ceil(this.#waiting.length / 2)) : MAX_CHECKS
    do this.#call(this.#waiting.splice(0, most))
    while (this.#waiting.length > 0 && this.#isWorthCall())
    if (this.#waiting.length > 0) this.#wait()
  }

  #call(entries: readonly Entry[]): void {
    this.#pending++
    this.#lastSize = entries.length
    this.#lastSent = clock()
    const settled = (): void => {
      this.#pending--
      if (this.#waiting.length > 0 && this.#isWorthCall()) this.#flush()
    }
    void this.#send(entries.map(({ group }) => group))
      .then(
        evaluations => entries.forEach((entry, i) => deliver(entry, evaluations[i])),
        (error: unknown) => entries.forEach(({ reject }) => reject(error)),
      )
      .then(settled)
  }
}

function deliver({ resolve, reject }: Entry, evaluation: Evaluation | Error | undefined): void {
  if (evaluation === undefined || evaluation instanceof Error)
    reject(evaluation ?? new Error('no reply for a group'))
  else resolve(evaluation)
}
