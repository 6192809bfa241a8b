import type { Place } from '../algorithms/index.ts'
import type { Decision } from '../check/decision.ts'
import type { Demand } from '../store/contract.ts'
import type { TakenPlace } from './places.ts'

/** When a caller without a place may start. Microseconds, by this process's clock. */
export interface Owed {
  /** The earliest start. */
  readonly start: number
  /** The time that the caller takes after the one in front of it. */
  readonly time: number
}

/** What a caller owes that may start as soon as those in front of it have. */
export const AT_ONCE: Owed = { start: 0, time: 0 }

/** A caller in a line: it has a place there, waits for one, or was admitted while others of this process wait. */
export interface InLine extends Omit<TakenPlace, 'place'> {
  /** The order in which the callers of this process came to the line. */
  readonly seq: number
  /** The demand on the bucket of the line. */
  readonly demand: Demand
  /** Undefined for a caller without a place in the store: {@link owes} says when it may start. */
  place: Place | undefined
  owes: Owed
  /** The instant at which the caller's patience ends. Microseconds of this process's clock. */
  readonly deadline: number
  /** Whether it stands there: its turn has not come, and its patience has not ended. */
  readonly isStanding: boolean
  /** Whether the store is being asked for its place, so that it cannot start yet. */
  readonly isJoining: boolean
  /** Whether this process has charged it, and the store does not know of it. */
  readonly isOnlyHere: boolean
  /** The decision that the caller gets at its turn. A caller without one asks the store about its other policies then. */
  readonly decision?: Decision | undefined
  /** Starts the caller. */
  start(): void
  /** Called when the caller's patience has ended, or must end before its turn. It has left the line. */
  expire(): void
  /** Called when the caller has left the line. Gives back what was charged for it beside its place. */
  gone(): Promise<void> | undefined
  /** Asks the store for news of the line. */
  look(): void
}

/** A caller that the store is asked about. */
export interface Pending {
  /** The order in which the callers of this process asked. */
  readonly seq: number
  /** Whether the request of the caller seems to have ended without a word, so that nobody need wait for it. */
  readonly isLost: boolean
  /** Counts the caller no longer, because it is lost. */
  drop(): void
}

/** A caller that asks the store again later. */
export interface Retrying extends Pending {
  readonly deadline: number
  /** The policy for which it waits. */
  readonly policy: string
  /** The most units that it asks of one counter. */
  readonly most: number
  ask(): void
}

/** The questions of a caller that asks the store again until it is admitted. */
export interface Asking {
  readonly caller: Retrying
  /** The instant at which it asks, by this process's clock; undefined while it asks. */
  readonly asksAt: number | undefined
  /** Whether the store has told it to come back. */
  readonly wasRefused: boolean
  /** Lets the caller ask at once. */
  wake(): void
}

/** The callers that ask the store again later for the same counters, in the order in which they came. The first one asks next. */
export class Askers {
  readonly #callers: Asking[] = []
  readonly #emptied: () => void

  /** @param emptied called when the last caller has gone */
  constructor(emptied: () => void) {
    this.#emptied = emptied
  }

  /** The caller that asks next. */
  get first(): Asking | undefined {
    while (this.#callers[0]?.caller.isLost === true) this.#callers.shift()!.caller.drop()
    return this.#callers[0]
  }

  /** The units of the callers that came before one. */
  unitsBefore({ seq }: Pick<Pending, 'seq'>): number {
    return this.#callers.reduce((sum, { caller }) => (caller.seq < seq ? sum + caller.most : sum), 0)
  }

  /** Adds a caller in front of those that came after it, unless it is there already. */
  join(asking: Asking): void {
    if (this.#callers.includes(asking)) return
    const at = this.#callers.findLastIndex(({ caller }) => caller.seq <= asking.caller.seq) + 1
    this.#callers.splice(at, 0, asking)
  }

  /** Removes a caller. The next one asks at once. */
  part(asking: Asking): void {
    const at = this.#callers.indexOf(asking)
    if (at < 0) return
    this.#callers.splice(at, 1)
    if (at === 0) this.first?.wake()
    if (this.#callers.length === 0) this.#emptied()
  }
}
