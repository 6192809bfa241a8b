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

const COUNT = /^\d{1,15}(?:\.\d+)?$/

/** Reads a count: a number of digits. A fraction is dropped. Anything else, a negative number too, is `undefined`. */
export function readCount(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value < 1e15 ? Math.floor(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return COUNT.test(text) ? Math.floor(Number(text)) : undefined
}
