import { TIERS } from '../base/tiers.ts'
import { type Counts, plus } from './counts.ts'
import type { GuardedLimit } from './guarded-limit.ts'
import type { LimitState, ShedderState } from './state.ts'

/**
 * Sums the limits of a shedder up. Times are those of the limit that sheds, or else of the busiest.
 *
 * @param former what limits have counted that are no more
 */
export function sumUp(
  name: string,
  mode: ShedderState['mode'],
  guarded: readonly GuardedLimit[],
  former: Counts,
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
    shedRoutes: limits.flatMap(({ shedRoutes }) => shedRoutes),
    cause: worst?.cause,
    sheddingMs: worst?.sheddingMs ?? 0,
    ...limits.reduce(plus, former),
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
