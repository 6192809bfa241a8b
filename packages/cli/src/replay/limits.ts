import type { Policy } from '@halt/core'

/** The greatest limit that Halt counts. */
const GREATEST = 999_999_999_999_999
/** How many limits a pass tries while it searches. */
const STEPS = 8

/** The limits that are tried around the present one: a quarter, a half, the same, twice and four times. */
export function limitsAround({ limit }: Policy): readonly number[] {
  return sorted([limit / 4, limit / 2, limit, limit * 2, limit * 4])
}

/** A limit that was tried, and the share of keys that it refused at least once. */
export interface TriedLimit {
  readonly limit: number
  readonly refused: number
  readonly keysRefused: number
}

/** A search for the smallest limit that refuses fewer than a share of the keys. */
export interface Search {
  /** The smallest limit known to suffice. */
  readonly found: number | undefined
  /** The limits to try next; empty when `found` is the smallest, or no limit suffices. */
  readonly next: readonly number[]
}

/**
 * Narrows a search by the limits that were tried. A greater limit is taken to refuse fewer keys.
 *
 * @param share 0 to 1
 */
export function narrow(tried: readonly TriedLimit[], keys: number, share: number): Search {
  const suffices = ({ keysRefused }: TriedLimit): boolean => keysRefused < share * keys
  const ordered = tried.toSorted((a, b) => a.limit - b.limit)
  // The largest limit that does not suffice. All above it do.
  const at = ordered.findLastIndex(each => !suffices(each))
  const low = ordered[at]?.limit ?? 0
  const high = ordered[at + 1]?.limit
  if (high === undefined) {
    const next = low >= GREATEST ? [] : sorted([4, 16, 64, 256].map(times => low * times))
    return { found: undefined, next }
  }
  const width = (high - low) / (STEPS + 1)
  const next = sorted(Array.from({ length: STEPS }, (_, i) => low + width * (i + 1)))
  return { found: high, next: next.filter(limit => limit > low && limit < high) }
}

function sorted(limits: readonly number[]): readonly number[] {
  const whole = limits.map(limit => Math.min(GREATEST, Math.max(1, Math.round(limit))))
  return [...new Set(whole)].sort((a, b) => a - b)
}
