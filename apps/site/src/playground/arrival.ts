import type { RequestView } from '@halt/core'

/** One request that reaches the limiters. */
export interface Arrival {
  /** Microseconds since the start of the simulation. */
  readonly at: number
  /** What the page calls the client. */
  readonly client: string
  readonly view: RequestView
}

/** Requests in the order of their time, and the instant at which the simulation starts. */
export interface TrafficSource {
  /** Unix milliseconds. */
  readonly start: number
  readonly arrivals: Iterator<Arrival>
  /** Sentences about lines that could not be read. */
  readonly notes: readonly string[]
}
