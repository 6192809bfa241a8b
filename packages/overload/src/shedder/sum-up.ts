import { TIERS } from '../base/tiers.ts'
import { NOTHING, plus } from './counts.ts'
import type { Limits } from './limits.ts'
import type { LimitState, ShedderState } from './state.ts'

/** Sums the limits of a shedder up. Times are those of the limit that sheds, or else of the busiest. */
export function sumUp(name: string, mode: ShedderState['mode'], of: Limits | undefined): ShedderState {
  const limits = of?.all().map(limit => limit.state()) ?? []
  const worst = limits.reduce<LimitState | undefined>(
    (found, next) => (found === undefined || isWorse(next, found) ? next : found),
    undefined,
  )
  return {
    name,
    mode,
    route: undefined,
    perRound: of?.perRound,
    limit: total(limits, ({ limit, sharedWith }) => limit / (sharedWith.length + 1)),
    sharedWith: [],
    inFlight: total(limits, ({ inFlight }) => inFlight),
    ageMs: worst?.ageMs ?? 0,
    insideMs: worst?.insideMs ?? 0,
    calmMs: worst?.calmMs ?? 0,
    sheds: TIERS.filter(tier => limits.some(({ sheds }) => sheds.includes(tier))),
    shedRoutes: limits.flatMap(({ shedRoutes }) => shedRoutes),
    cause: worst?.cause,
    sheddingMs: worst?.sheddingMs ?? 0,
    ...limits.reduce(plus, of?.former ?? NOTHING),
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
