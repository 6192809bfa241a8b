// Policies as the book of several policies sees them: numbers alone, read from what a user writes. It shares no code with Halt.
import type { Policy, Quota } from '../../../src/index.ts'
import type { Step } from '../journal.ts'

/** A policy as a user writes it. */
export type Given = Policy | Quota

/** The units of a call: for all policies, or by the names of policies. */
export type Units = number | Readonly<Record<string, number>>

/** What a policy counts. All times are microseconds. */
export interface Counter {
  readonly name: string
  readonly kind: 'bucket' | 'fixed' | 'sliding' | 'quota' | 'concurrency'
  /** Whether all clients have one counter. */
  readonly isShared: boolean
  /** Units per window; calls in flight for `concurrency`. */
  readonly limit: number
  readonly window: number
  /** The units of a bucket that can start at once. */
  readonly capacity: number
  /** The time for which a sliding window counts a unit at most. */
  readonly longest: number
  readonly countsRequests: boolean
  /** The limits of the bucket as they were set. */
  readonly limits: Step[]
}

const SECOND = 1_000_000
const WINDOWS: Readonly<Record<string, number>> = { '1s': 1, '1m': 60, '1h': 3600 }

/** Reads a policy. A window is a number of seconds, or one of `"1s"`, `"1m"`, `"1h"`. */
export function counterOf(policy: Given): Counter {
  const { name, limit, keyStrategy } = policy
  const common = {
    name,
    limit,
    isShared: keyStrategy === 'shared',
    countsRequests: policy.counts === 'requests',
    limits: [{ at: 0, value: limit }],
  }
  if ('period' in policy)
    return { ...common, kind: 'quota', window: 3600 * SECOND, capacity: limit, longest: 3600 * SECOND }
  if (policy.algorithm === 'concurrency')
    return { ...common, kind: 'concurrency', window: SECOND, capacity: limit, longest: 0 }
  const seconds = typeof policy.window === 'number' ? policy.window : WINDOWS[policy.window]
  if (seconds === undefined) throw new Error(`The book does not read the window ${policy.window}.`)
  const window = seconds * SECOND
  const { algorithm, burst = limit, precision = 10 } = policy
  const kind = algorithm === 'fixed-window' ? 'fixed' : algorithm === 'sliding-window' ? 'sliding' : 'bucket'
  const longest = kind === 'sliding' ? window + Math.ceil(window / precision) : window
  return { ...common, kind, window, capacity: kind === 'bucket' ? burst : limit, longest }
}

/** The units that a call takes from a counter. */
export function unitsOf({ name, countsRequests, kind }: Counter, units: Units | undefined): number {
  if (kind === 'concurrency') return 1
  if (typeof units === 'number') return countsRequests ? 1 : units
  return units?.[name] ?? 1
}

/** The name of the counter of a client. */
export function keyOf({ name, isShared }: Counter, client: string): string {
  return isShared ? name : `${name} of ${client}`
}
