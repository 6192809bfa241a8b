import { HaltError } from '../base/errors.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import { CallerIds } from '../control/client-ids.ts'
import type { Control } from '../control/control.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import { type AcquireOptions, readMaxWait } from '../waiting/acquire-options.ts'
import { onAbort } from '../waiting/departures.ts'
import { type Lines, waitingRoom } from '../waiting/lines.ts'
import { Waiter } from '../waiting/waiter.ts'
import type { Ask, WaiterParts } from '../waiting/waiter-parts.ts'
import type { Charges } from './charges.ts'

/** The parts of a limiter that its turns use. */
export interface TurnsParts {
  readonly guardedStore: GuardedStore
  readonly charges: Charges
  readonly lines: Lines
  /** The most callers of this process that may wait. */
  readonly mostWaiting: number
  /** The operators' entries; undefined if the limiter has no control. */
  readonly control: Pick<Control, 'state'> | undefined
}

/** Lets callers of a limiter wait for their turn. */
export class Turns implements WaiterParts {
  readonly lines: Lines
  readonly #guardedStore: GuardedStore
  readonly #charges: Charges
  readonly #mostWaiting: number
  readonly #control: Pick<Control, 'state'> | undefined
  readonly #waiters = new Set<Waiter>()

  constructor({ guardedStore, charges, lines, mostWaiting, control }: TurnsParts) {
    this.lines = lines
    this.#guardedStore = guardedStore
    this.#charges = charges
    this.#mostWaiting = mostWaiting
    this.#control = control
  }

  /** Resolves when it is the caller's turn, or at once with a refusal. Rejects with the signal's reason. */
  acquire(
    ask: Ask,
    { maxWait, signal }: Pick<AcquireOptions, 'maxWait' | 'signal'>,
  ): Decision | Promise<Decision> {
    const patience = readMaxWait(maxWait)
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (waitingRoom.size >= this.#mostWaiting) return ask(undefined)
    const waiter = new Waiter(this, ask, patience)
    waitingRoom.size++
    this.#waiters.add(waiter)
    waiter.ask()
    return signal === undefined ? waiter.turn : untilAborted(waiter, signal)
  }

  /** How many callers ask or wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** Sends every waiting caller away. */
  close(): void {
    for (const waiter of this.#waiters)
      waiter.send(
        new HaltError(
          'HALT_E_CLOSED',
          'The limiter was closed while a caller waited for its turn.',
          'Await all calls before close(), or treat this as the end of the process.',
        ),
      )
  }

  clock(): number {
    return this.#guardedStore.clock.told() ?? nowMicros()
  }

  now(isLocal: boolean): number {
    return isLocal ? nowMicros() : this.#guardedStore.now()
  }

  withdraw(decision: Decision, tails: readonly number[]): Promise<void> {
    return this.#charges.withdraw(decision, tails)
  }

  cancel(decision: Decision): Promise<void> {
    return this.#charges.cancel(decision)
  }

  isRefused({ demands }: Check, client: Caller | Subject): boolean {
    const state = this.#control?.state
    if (state?.hasAccess !== true) return false
    const { clock } = this.#guardedStore
    const entry =
      typeof client === 'string'
        ? state.accessOfSubject(client, clock)
        : state.accessOf(new CallerIds(client, demands), clock)
    return entry?.kind === 'block'
  }

  isBlocked(check: Check, client: Caller | Subject): Promise<boolean> {
    return this.isRefused(check, client) ? Promise.resolve(true) : this.#guardedStore.isBlocked(check)
  }

  gone(caller: Turn): void {
    if (this.#waiters.delete(caller as Waiter)) waitingRoom.size--
  }
}

/** Sends a caller away when a signal is aborted. */
function untilAborted(waiter: Waiter, signal: NonNullable<AcquireOptions['signal']>): Promise<Decision> {
  const stay = onAbort(signal, reason => waiter.send(reason))
  return waiter.turn.finally(stay)
}
