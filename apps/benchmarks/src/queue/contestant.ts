/** How fast jobs may start: `limit` in each `windowMs`, one after the other. */
export interface Pace {
  readonly limit: number
  readonly windowMs: number
}

/** A queue that starts jobs at a pace. */
export interface QueueContestant {
  readonly name: string
  /** How it keeps the pace, in a few words. */
  readonly way: string
  /** Whether several processes share one pace. Otherwise each of them keeps a part of it. */
  readonly isShared: boolean
  /**
   * Opens a queue.
   *
   * @param url the Redis of its counters; undefined for the memory of this process
   */
  open(pace: Pace, url: string | undefined): Promise<OpenQueue>
}

/** An open queue. */
export interface OpenQueue {
  /** Starts a job when it is its turn. Resolves when the job has ended. */
  run(job: () => void): Promise<unknown>
  /** The calls of the store so far; undefined if only the server counts them. */
  calls?(): number
  /** The longest call of the store so far, in milliseconds. */
  longestCall?(): number
  close(): unknown
}

/** Milliseconds between two jobs of a pace. */
export function gapOf({ limit, windowMs }: Pace): number {
  return windowMs / limit
}
