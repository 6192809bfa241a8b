import type { Check, QueuedCaller } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { LeavingCaller, WaitingCaller } from '../check/telemetry.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/identity.ts'
import type { LineStore } from './line-store.ts'
import type { Lines } from './lines.ts'

/** A caller that asks or waits, as somebody sees it who waits until none is left. */
export interface Present {
  /** Whether it is a caller of a subject. Undefined while nobody knows on which counters it will be charged. */
  isOf(subject: Subject | undefined): boolean | undefined
}

interface Idler<C> {
  readonly subject: Subject | undefined
  readonly present: Set<C>
  readonly resolve: () => void
}

/** Those who wait until no caller is left. Costs nothing for callers while there are none. */
export class Idlers<C extends Present> {
  readonly #idlers = new Set<Idler<C>>()

  /**
   * Resolves when no caller of a subject is left, those included that come meanwhile.
   *
   * @param subject undefined for callers of any subject
   */
  until(subject: Subject | undefined, callers: Iterable<C>): Promise<void> {
    const present = new Set<C>()
    for (const caller of callers) if (caller.isOf(subject) !== false) present.add(caller)
    if (present.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#idlers.add({ subject, present, resolve })
    })
  }

  came(caller: C): void {
    for (const { present } of this.#idlers) present.add(caller)
  }

  /** Notes that a caller knows its counters. */
  countersKnown(caller: C): void {
    for (const idler of this.#idlers) if (caller.isOf(idler.subject) === false) this.#drop(idler, caller)
  }

  gone(caller: C): void {
    for (const idler of this.#idlers) this.#drop(idler, caller)
  }

  #drop(idler: Idler<C>, caller: C): void {
    if (!idler.present.delete(caller) || idler.present.size > 0) return
    this.#idlers.delete(idler)
    idler.resolve()
  }
}

/** Asks for a decision, as a caller that waits for its turn, or, without a turn, as one that takes a refusal. */
export type Decide = (queued: QueuedCaller | undefined) => Decision | Promise<Decision>

/** The wait of a caller, as telemetry hears of it. */
export interface Wait extends WaitingCaller {
  readonly key: string
}

/** The parts of a limiter that a caller needs. */
export interface WaiterParts {
  readonly lines: Lines
  readonly store: LineStore
  /** The next number of a caller of this process. */
  nextSeq(): number
  /** Whether no further caller may wait. */
  readonly isFull: boolean
  /** Called when a caller begins to wait. */
  waits(caller: QueuedCaller, wait: Wait): void
  /** Called when a caller that has waited gets its turn. */
  started(wait: Wait, waitedMs: number): void
  /** Called when a caller that has waited leaves without a turn. */
  left(wait: Wait, waitedMs: number, why: LeavingCaller['why']): void
  /** Called when it is known on which counters a caller will be charged. */
  countersKnown(caller: Present): void
  /**
   * Gives back the charge of a caller that has not started, and ends the record of its charge.
   *
   * @param inLine the key of the counter whose units are given back with the caller's place in its line
   */
  abandon(decision: Decision, inLine?: string): Promise<void>
  /** Whether an operator blocks the client of a check now. Asks nobody. */
  isRefused(check: Check, client: Caller | Subject): boolean
  /** Called when a caller no longer waits. */
  gone(caller: QueuedCaller): void
}
