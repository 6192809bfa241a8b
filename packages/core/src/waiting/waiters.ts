import { HaltError, messageOf } from '../base/errors.ts'
import { eventLoop } from '../base/event-loop.ts'
import { atMost } from '../base/promises.ts'
import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { LeavingCaller } from '../check/telemetry.ts'
import type { LimiterParts } from '../limiter/assembly.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/identity.ts'
import { LineReporter } from '../telemetry/reporter.ts'
import { type AbortSignalLike, type AcquireOptions, readMaxWait } from './acquire-options.ts'
import { LineStore } from './line-store.ts'
import { type Lines, waitingRoom } from './lines.ts'
import { Idlers, type Decide, type Wait, type WaiterParts } from './waiter-parts.ts'
import { Waiter } from './waiter.ts'

type Leave = (reason: unknown) => void

/** How many callers leave in one turn of the event loop, so that thousands who share a signal hold nothing else up. */
const SLICE = 500

/** The callers that leave when a signal is aborted, and the listener of them all. */
class Departure {
  readonly listener: () => void
  // Most signals have one caller, which needs no set.
  #only: Leave | undefined
  #others: Set<Leave> | undefined

  constructor(signal: AbortSignalLike) {
    this.listener = () => {
      bySignal.delete(signal)
      const only = this.#only
      this.#only = undefined
      only?.(signal.reason)
      this.#leaveNext(signal.reason)
    }
  }

  #leaveNext(reason: unknown): void {
    const others = this.#others ?? []
    let left = SLICE
    for (const leave of others) {
      if (left-- === 0) return eventLoop.afterRead(() => this.#leaveNext(reason))
      this.#others!.delete(leave)
      leave(reason)
    }
  }

  add(leave: Leave): void {
    if (this.isEmpty) this.#only = leave
    else (this.#others ??= new Set()).add(leave)
  }

  delete(leave: Leave): void {
    if (this.#only === leave) this.#only = undefined
    else this.#others?.delete(leave)
  }

  get isEmpty(): boolean {
    return this.#only === undefined && (this.#others === undefined || this.#others.size === 0)
  }
}

// One listener per signal, because a process often gives the same one to thousands of callers, and Node warns of eleven listeners.
const bySignal = new WeakMap<AbortSignalLike, Departure>()

/** Lets a caller leave when a signal is aborted. Returns the function that ends that. */
function onAbort(signal: AbortSignalLike, leave: Leave): () => void {
  const departure = bySignal.get(signal) ?? listenTo(signal)
  departure.add(leave)
  return () => {
    departure.delete(leave)
    if (!departure.isEmpty || bySignal.get(signal) !== departure) return
    bySignal.delete(signal)
    signal.removeEventListener('abort', departure.listener)
  }
}

function listenTo(signal: AbortSignalLike): Departure {
  const departure = new Departure(signal)
  signal.addEventListener('abort', departure.listener, { once: true })
  bySignal.set(signal, departure)
  return departure
}

// One order for the callers of all limiters, because limiters of one store share its lines.
let lastSeq = 0

/** Lets callers of a limiter wait for their turn. */
export class Waiters implements WaiterParts {
  readonly lines: Lines
  readonly store: LineStore
  readonly #parts: LimiterParts
  readonly #reporter: LineReporter
  // The callers that ask or wait.
  readonly #waiters = new Set<Waiter>()
  readonly #waiting = new Set<Waiter>()
  readonly #idlers = new Idlers<Waiter>()
  #isClosed = false

  constructor(parts: LimiterParts, lines: Lines) {
    this.#parts = parts
    this.#reporter = new LineReporter(parts.telemetry, parts.warn)
    this.lines = lines
    this.store = new LineStore(parts.evaluator, lines)
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

  get size(): number {
    return this.#waiting.size
  }

  waitingOf(subject: Subject): readonly Waiter[] {
    return [...this.#waiting].filter(waiter => waiter.isOf(subject) === true)
  }

  /** Resolves when no caller of a subject asks or waits. @param subject undefined for all callers */
  idle(subject: Subject | undefined): Promise<void> {
    return this.#idlers.until(subject, this.#waiters)
  }

  get isFull(): boolean {
    return waitingRoom.size >= this.#parts.numbers.mostWaiting
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
    if (finish > 0) await atMost(Math.ceil(finish / 1000), this.idle(undefined))
    const waiters = [...this.#waiters]
    for (const waiter of waiters) waiter.send(closed(), 'closed')
    await Promise.all(waiters.map(async waiter => waiter.returned()))
  }

  waits(caller: Waiter, { key, policy, units, startsInMs }: Wait): void {
    this.#waiting.add(caller)
    waitingRoom.size++
    this.#reporter.tell('onWaiting', key, { policy, units, startsInMs })
  }

  started({ key, policy, units }: Wait, waitedMs: number): void {
    this.#reporter.tell('onTurn', key, { policy, units, waitedMs })
  }

  left({ key, policy, units }: Wait, waitedMs: number, why: LeavingCaller['why']): void {
    this.#reporter.tell('onLeave', key, { policy, units, waitedMs, why })
  }

  countersKnown(caller: Waiter): void {
    this.#idlers.countersKnown(caller)
  }

  abandon(decision: Decision, inLine?: string): Promise<void> {
    return this.#parts.charges.abandon(decision, inLine)
  }

  isRefused(check: Check, client: Caller | Subject): boolean {
    return this.#parts.pipeline.gate?.accessOf(check, client) === 'block'
  }

  gone(caller: Waiter): void {
    if (this.#waiting.delete(caller)) waitingRoom.size--
    this.#waiters.delete(caller)
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
