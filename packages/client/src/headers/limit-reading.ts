/** The state of one limit, as an answer tells it. What it does not tell is `undefined`. */
export interface LimitReading {
  readonly policy: string
  readonly limit: number | undefined
  readonly remaining: number | undefined
  /** Unix milliseconds of this process's clock. */
  readonly resetAtMs: number | undefined
  /** In seconds. */
  readonly window: number | undefined
}
