/** The requests of one route that ended within a window. */
export interface RouteSample {
  readonly samples: number
  /** The mean time from the handler's start to the response, in milliseconds. */
  readonly insideMs: number
  /** The standard error of that mean, in milliseconds. */
  readonly errorMs: number
  /** The time of the quickest, in milliseconds. */
  readonly leastMs: number
}

/** What a window of about 100 ms has shown. */
export interface WindowSummary {
  /** When the window ended, in milliseconds of the turn clock. */
  readonly at: number
  readonly durationMs: number
  /** The number of requests that ended. */
  readonly completions: number
  readonly refused: number
  readonly admitted: number
  /** The most requests in flight at once. */
  readonly peak: number
  /** Requests in flight at the beginning. */
  readonly before: number
  /** Requests in flight now. */
  readonly inFlight: number
  /** The mean wait for the loop before a handler ran, in milliseconds. */
  readonly ageMs: number
  /**
   * How much longer the requests in flight will have taken than those that ended, as a factor from 1 on. By Little's law: slow
   * ones have not ended yet.
   */
  readonly censored: number
  /** False in shadow mode: refused requests run all the same, so a cut has no effect. */
  readonly enforced: boolean
  /** How much longer requests take because other routes fill the loop, in milliseconds. */
  readonly loopMs: number
  readonly routes: ReadonlyMap<string, RouteSample>
}

/** What a controller has found of late, for people. */
export interface Finding {
  /** The time inside when nothing queues, by route, in milliseconds. */
  readonly baselines: ReadonlyMap<string, number>
  /** How often it took a longer time for normal, because lowering the limit did not help. */
  readonly rebaselines: number
}

/** Finds the number of requests that may be in flight at once. Each algorithm is one implementation. */
export interface Controller {
  /** The number of requests that may be in flight, from `min` to `max`. */
  readonly limit: number
  /** Counts the cuts. Requests that were admitted before the last cut tell about the old limit. */
  readonly cuts: number
  readonly finding: Finding
  /** Takes a window into account. */
  judge(window: WindowSummary): void
}

/** The bounds of every controller. */
export interface Bounds {
  readonly min: number
  readonly max: number
}
