import type { Tier } from '../base/tiers.ts'

/** Why requests are shed: they wait for the event loop, or take longer inside their handlers, such as for a pool. */
export type Cause = 'loop' | 'inside'

/** One number for each tier. */
export type ByTier = Readonly<Record<Tier, number>>

/** The limit of a route as it is now. */
export interface LimitState {
  /** The route of this limit. Undefined if it is the sum of all. */
  readonly route: string | undefined
  /** How many requests may be in flight now. A tier that is safe may exceed it. */
  readonly limit: number
  /** The other routes that share this limit now, because a queue stands in each of them. */
  readonly sharedWith: readonly string[]
  /** Requests of the route in flight. In shadow mode: those that would be, if it were enforced. */
  readonly inFlight: number
  /** How long requests waited for the event loop before their handlers ran, on average in the last window, in milliseconds. */
  readonly ageMs: number
  /** How long requests took inside their handlers, on average in the last window, in milliseconds. */
  readonly insideMs: number
  /** How long they take when nothing queues, in milliseconds. */
  readonly calmMs: number
  /** The tiers of which requests were refused in the last window. Empty: none is shed. */
  readonly sheds: readonly Tier[]
  /** The routes of which requests are refused. Empty if nothing is shed. */
  readonly shedRoutes: readonly string[]
  readonly cause: Cause | undefined
  /** How long this limit has been shedding, in milliseconds. 0 if it does not. */
  readonly sheddingMs: number
  /** Requests refused since the start, by tier. In shadow mode: those that would have been. */
  readonly refused: ByTier
  /** Requests admitted since the start, by tier. */
  readonly admitted: ByTier
  /** How often a longer time inside was taken for normal, because fewer requests in flight did not shorten it. */
  readonly rebaselines: number
}

/** A shedder as it is now: the sums over its limits, and the times of the one that is worst off. */
export interface ShedderState extends LimitState {
  readonly name: string
  readonly mode: 'enforce' | 'shadow' | 'off'
  /** How many requests a round of the event loop admits now. Undefined: any number, because the loop has time. */
  readonly perRound: number | undefined
  /** One for each route. Routes beyond 128 share the row `other`. */
  readonly limits: readonly LimitState[]
}

/** What a shedder tells its listeners. */
export interface ShedderEvents {
  /** A limit began to refuse requests. */
  readonly shedding: LimitState
  /**
   * A limit has refused nothing for two seconds. `sheddingMs` and `refusedMeanwhile` sum it up. It is told with the next request, or
   * when the state is read.
   */
  readonly calm: LimitState & { readonly refusedMeanwhile: number }
  /** A longer time inside is taken for normal, because fewer requests in flight did not shorten it. */
  readonly rebaseline: LimitState
}
