import { HaltError, messageOf } from '../base/errors.ts'
import { eventLoop } from '../base/event-loop.ts'
import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { Gate } from '../limiter/gate.ts'
import { type AcquireOptions, readMaxWait } from './acquire-options.ts'
import { onAbort } from './departures.ts'
import { Idlers, type Decide, type Wait, type WaiterParts } from './waiter-parts.ts'
import { LineStore } from './line-store.ts'
import { type Lines, waitingRoom } from './lines.ts'
import { Waiter } from './waiter.ts'
import type { Charges } from '../charge/charges.ts'
import type { LineReporter } from '../telemetry/line-reporter.ts'
import type { LeavingCaller } from '../check/telemetry.ts'

/** The parts of a limiter that its turns use. */
export interface WaitersParts {
  readonly evaluator: Evaluator
  readonly charges: Charges
  readonly lines: Lines
  /** The most callers of this process that may wait. */
  readonly mostWaiting: number
  /** What operators have set; undefined if the limiter has no control. */
  readonly gate: Gate | undefined
  readonly reporter: LineReporter
}

// One order for the callers of all limiters, because limiters of one store share its lines.
let lastSeq = 0

/** Lets callers of a limiter wait for their turn. */
export class Waiters implements WaiterParts {
  readonly lines: Lines
  readonly store: LineStore
  readonly #parts: WaitersParts
  // The callers that ask or wait.
  readonly #waiters = new Set<Waiter>()
  readonly #waiting = new Set<Waiter>()
  readonly #idlers = new Idlers<Waiter>()
  #emptied: (() => void) | undefined
  #isClosed = false

  constructor(parts: WaitersParts) {
    this.#parts = parts
    this.lines = parts.lines
    this.store = new LineStore(parts.evaluator, parts.lines)
  }

  /** Resolves when it is the caller's turn, or at once with a refusal. Rejects with the signal's reason. */
  acquire(
    ask: Decide,
    { maxWait, signal }: Pick<AcquireOptions, 'maxWait' | 'signal'>,
  ): Decision | Promise<Decision> {
    const patience = readMaxWait(maxWait)
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#isClosed) return Promise.reject(closed())
    const waiter = new Waiter(this, ask, patience)
    if (signal !== undefined) leaveOnAbort(waiter, signal)
    this.#waiters.add(waiter)
    this.#idlers.came(waiter)
    waiter.ask()
    return waiter.turn
  }

  /** How many callers wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** The callers of a subject that wait. */
  waitingOf(subject: Subject): readonly Waiter[] {
    return [...this.#waiting].filter(waiter => waiter.isOf(subject) === true)
  }

  /** Resolves when no caller of a subject asks or waits. @param subject undefined for all callers */
  idle(subject: Subject | undefined): Promise<void> {
    return this.#idlers.until(subject, this.#waiters)
  }

  get isFull(): boolean {
    return waitingRoom.size >= this.#parts.mostWaiting
  }

  nextSeq(): number {
    return ++lastSeq
  }

  /**
   * Sends every waiting caller away. Resolves when the store has taken their places back.
   *
   * @param finish how long the callers have their turns first, in microseconds
   */
  async close(finish = 0): Promise<void> {
    this.#isClosed = true
    if (finish > 0 && this.#waiters.size > 0) await this.#finishWithin(finish)
    const waiters = [...this.#waiters]
    for (const waiter of waiters) waiter.send(closed(), 'closed')
    await Promise.all(waiters.map(async waiter => waiter.returned()))
  }

  async #finishWithin(micros: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = eventLoop.after(Math.ceil(micros / 1000), resolve)
      this.#emptied = () => {
        eventLoop.cancel(timer)
        resolve()
      }
    })
  }

  waits(caller: Waiter, { key, policy, units, startsInMs }: Wait): void {
    this.#waiting.add(caller)
    waitingRoom.size++
    this.#parts.reporter.tell('onWaiting', key, { policy, units, startsInMs })
  }

  started({ key, policy, units }: Wait, waitedMs: number): void {
    this.#parts.reporter.tell('onTurn', key, { policy, units, waitedMs })
  }

  left({ key, policy, units }: Wait, waitedMs: number, why: LeavingCaller['why']): void {
    this.#parts.reporter.tell('onLeave', key, { policy, units, waitedMs, why })
  }

  known(caller: Waiter): void {
    this.#idlers.known(caller)
  }

  abandon(decision: Decision, inLine?: string): Promise<void> {
    return this.#parts.charges.abandon(decision, inLine)
  }

  isRefused(check: Check, client: Caller | Subject): boolean {
    return this.#parts.gate?.accessOf(check, client) === 'block'
  }

  gone(caller: Waiter): void {
    if (this.#waiting.delete(caller)) waitingRoom.size--
    if (this.#waiters.delete(caller) && this.#waiters.size === 0) this.#emptied?.()
    this.#idlers.gone(caller)
  }
}

/** Sends a caller away when a signal is aborted. */
function leaveOnAbort(waiter: Waiter, signal: NonNullable<AcquireOptions['signal']>): void {
  try {
    waiter.stay = onAbort(signal, reason => waiter.send(reason, 'aborted'))
  } catch (error) {
    throw new HaltError(
      'HALT_E_OPTION',
      `The signal of a caller takes no listener: ${messageOf(error)}.`,
      'Give the signal of an AbortController, or AbortSignal.timeout(ms).',
      { cause: error },
    )
  }
}

function closed(): HaltError {
  return new HaltError(
    'HALT_E_CLOSED',
    'The limiter is closed, so its callers get no turn any more.',
    'Await all calls before close(), start none after it, or treat this as the end of the process.',
  )
}
