import type { ByTier, LimitState } from './state.ts'

/** What a limit has counted since the start. */
export type Counts = Pick<LimitState, 'refused' | 'admitted' | 'rebaselines'>

const NONE: ByTier = { critical: 0, normal: 0, batch: 0 }

/** The counts of a limit that nobody has asked. */
export const NOTHING: Counts = { refused: NONE, admitted: NONE, rebaselines: 0 }

/** The sums of two counts. */
export function plus(one: Counts, other: Counts): Counts {
  return {
    refused: plusTiers(one.refused, other.refused),
    admitted: plusTiers(one.admitted, other.admitted),
    rebaselines: one.rebaselines + other.rebaselines,
  }
}

function plusTiers(one: ByTier, other: ByTier): ByTier {
  return {
    critical: one.critical + other.critical,
    normal: one.normal + other.normal,
    batch: one.batch + other.batch,
  }
}
