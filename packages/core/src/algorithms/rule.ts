/**
 * A policy compiled to numbers: everything that an algorithm needs to know of it, in TypeScript and in Lua.
 *
 * Times are whole microseconds. A rule is plain data, because it is sent to stores.
 */
export interface Rule {
  /** The code of the algorithm, from {@link codes}. */
  readonly code: AlgorithmCode
  /** The counter's name, `{counter}:{code}`. Subject and name together identify a counter. */
  readonly counter: string
  /** Units per window. */
  readonly limit: number
  /** Units that can be taken at one instant: the token bucket's burst, else `limit`. */
  readonly capacity: number
  /** Token bucket: the debt that one unit adds. */
  readonly unit: number
  /** Token bucket: the debt that one microsecond pays back. */
  readonly rate: number
  /** Windows: the window's length. `concurrency`: the shortest life of a permit, less one microsecond. */
  readonly window: number
  /** Sliding window: the length of a sub-window. */
  readonly slice: number
  /** Sliding window: the number of sub-windows in a window. */
  readonly precision: number
  /** How long a refusal keeps the key refused; 0 for no cool-down. */
  readonly cooldown: number
  /** The rule that applies while a penalty is active; undefined where no penalty can be. */
  readonly reduced: Rule | undefined
}

/**
 * The stored state of one counter, a short tuple of whole numbers. The first number is the instant at which the counter's
 * cool-down ends (0: no cool-down); the others belong to the algorithm. An empty tuple is a fresh counter.
 */
export type State = number[]

/** The code of each algorithm, a letter that ends the names of its counters. */
export const codes = {
  'token-bucket': 't',
  'fixed-window': 'f',
  'sliding-window': 's',
  concurrency: 'c',
  quota: 'q',
} as const

/** The codes of the counters that hold what a tenant has of a counter which tenants share fairly, by the algorithm of that counter. */
export const shareCodes = { 'token-bucket': 'v', concurrency: 'h' } as const

export type AlgorithmCode = (typeof codes)[keyof typeof codes] | (typeof shareCodes)[keyof typeof shareCodes]

// The sums of a window are exact in doubles: what it counts, one cost, and the units left to others are together below
// 2^52 + 2^51 + 2^50, and a limit with its grant is below 2^51.

/** The most units of a limit, and the most that can be granted to a quota: the largest integer of a structured header (RFC 9651). */
export const MOST_UNITS = 999_999_999_999_999

/** The most units of one cost. It is above every limit with its grant. */
export const MOST_COST: number = 2 ** 51

/** The most units that a window counts. Settlements beyond it are not counted. */
export const MOST_COUNTED: number = 2 ** 52

/** The largest of the integers that doubles hold without a gap: 2^53 - 1. */
export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER

/** The longest time that a bucket may need to pay back what it was charged beyond its capacity, in microseconds. */
const LONGEST_DEBT = 366 * 86_400e6

/**
 * The most units that a call may be corrected to: of a bucket its capacity and what it pays back in 366 days, of other counters
 * the largest cost. A larger number is a mistake, such as another unit, and would refuse the client for years.
 */
export function mostOwed({ code, capacity, unit, rate }: Rule): number {
  if (code !== codes['token-bucket']) return MOST_COST
  return Math.min(
    MOST_COST,
    Math.floor(MAX_EXACT / unit),
    capacity + Math.floor((LONGEST_DEBT * rate) / unit),
  )
}
