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
  /** Resolves when it is the caller's turn, as the library's own promise does. */
  turn(): Promise<unknown>
  /** Whether an answer of `turn` is a start. Default: each is. */
  admits?(answer: unknown): boolean
  /** The calls of the store so far; undefined if only the server counts them. */
  calls?(): number
  /** The longest call of the store so far, in milliseconds. */
  longestCall?(): number
  close(): unknown
}

/** Starts a job when it is its turn. */
export async function runJob(queue: OpenQueue, job: () => void): Promise<void> {
  const answer = await queue.turn()
  if (queue.admits?.(answer) === false) throw new Error(`Not started: ${String(answer)}`)
  job()
}

/** Milliseconds between two jobs of a pace. */
export function gapOf({ limit, windowMs }: Pace): number {
  return windowMs / limit
}
