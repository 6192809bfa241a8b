/** A limit on one key for all processes. */
export interface HotLimit {
  readonly limit: number
  readonly windowMs: number
}

/** An open limiter of one busy key. */
export interface OpenHot {
  /** Asks for one unit. Resolves to whether it is admitted. */
  ask(): Promise<boolean>
  close(): Promise<unknown>
}
