/** What a flood of keys took. */
export interface Flooded {
  /** What came. */
  readonly title: string
  /** The bytes by which the process grew. */
  readonly growth: number
  /** The most bytes that the store told of itself. */
  readonly most: number
  /** The keys that the store held in the end. */
  readonly left: number
}

export const MAX_KEYS = 10_000
/** The most bytes that a store with {@link MAX_KEYS} may take. */
export const CAP: number = MAX_KEYS * 256 + 2 ** 20
