import { TIERS } from '../base/tiers.ts'
import type { GuardedLimit } from './guarded-limit.ts'
import type { ByTier, LimitState, ShedderState } from './state.ts'

const NONE: ByTier = { critical: 0, normal: 0, batch: 0 }

/** Sums the limits of a shedder up. Times are those of the limit that sheds, or else of the busiest. */
export function sumUp(
  name: string,
  mode: ShedderState['mode'],
  guarded: readonly GuardedLimit[],
): ShedderState {
  const limits = guarded.map(limit => limit.state())
  const worst = limits.reduce<LimitState | undefined>(
    (found, next) => (found === undefined || isWorse(next, found) ? next : found),
    undefined,
  )
  return {
    name,
    mode,
    route: undefined,
    limit: total(limits, ({ limit }) => limit),
    inFlight: total(limits, ({ inFlight }) => inFlight),
    ageMs: worst?.ageMs ?? 0,
    insideMs: worst?.insideMs ?? 0,
    calmMs: worst?.calmMs ?? 0,
    sheds: TIERS.filter(tier => limits.some(({ sheds }) => sheds.includes(tier))),
    cause: worst?.cause,
    sheddingMs: worst?.sheddingMs ?? 0,
    refused: limits.reduce((sum, { refused }) => plus(sum, refused), NONE),
    admitted: limits.reduce((sum, { admitted }) => plus(sum, admitted), NONE),
    rebaselines: total(limits, ({ rebaselines }) => rebaselines),
    limits,
  }
}

function isWorse(one: LimitState, other: LimitState): boolean {
  return one.sheddingMs === other.sheddingMs
    ? one.ageMs + one.insideMs > other.ageMs + other.insideMs
    : one.sheddingMs > other.sheddingMs
}

function total(limits: readonly LimitState[], of: (limit: LimitState) => number): number {
  return limits.reduce((sum, limit) => sum + of(limit), 0)
}

function plus(one: ByTier, other: ByTier): ByTier {
  return {
    critical: one.critical + other.critical,
    normal: one.normal + other.normal,
    batch: one.batch + other.batch,
  }
}
