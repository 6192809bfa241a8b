import type { Place } from '../algorithms/index.ts'
import type { Check } from '../check/check.ts'

/** A place of a caller in the lines of its counters. */
export interface TakenPlace {
  readonly check: Check
  /** The units of the caller, for each counter of the line. */
  readonly units: readonly number[]
  /** For each counter of the line; undefined for one that did not make the caller wait. */
  readonly places: readonly (Place | undefined)[]
}

/** When a caller without a place may start. Microseconds, by this process's clock. */
export interface Owed {
  /** The earliest start. */
  readonly start: number
  /** The time that the caller takes after the one in front of it. */
  readonly time: number
}

/** A caller that has a place in line, or that was admitted while others of this process wait. */
export interface Standing extends Pick<TakenPlace, 'check' | 'units'> {
  /** The order in which the callers of this process asked. */
  readonly seq: number
  /** Undefined for a caller without a place in the store: {@link owes} says when it may start. */
  places: TakenPlace['places'] | undefined
  owes: Owed
  /** The instant at which the caller's patience ends. Microseconds of this process's clock. */
  readonly deadline: number
  /** The places that the store keeps, if their callers have left. Undefined for a caller that waits. */
  readonly kept?: readonly TakenPlace[]
  /** Starts the caller. */
  start(): void
  /** Called when the caller's patience has ended and its turn has not come. It has left the line. */
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

/** A caller that asks the store again until it is admitted. */
export interface Asking extends Pending {
  /** The instant at which it asks, by this process's clock; undefined while it asks. */
  readonly asksAt: number | undefined
  /** Whether the store has told it to come back. */
  readonly wasRefused: boolean
  /** Lets the caller ask at once. */
  wake(): void
}

/** What a caller owes that may start as soon as those in front of it have. */
export const AT_ONCE: Owed = { start: 0, time: 0 }
