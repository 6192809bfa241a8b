import { abuseScore, grantedAt, type PenaltyRule, periodEnd } from '../algorithms/index.ts'
import type { PenaltyStatus, QuotaUsage } from '../check/telemetry.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { POINT } from '../policy/penalty-config.ts'
import type { Demand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { held, resetAt } from '../store/reading.ts'

/** Reads the use of a quota from an evaluation. */
export function quotaUsage(
  policy: CompiledPolicy,
  demand: Demand,
  evaluation: Evaluation,
  at: number,
): QuotaUsage {
  const state = evaluation.states[at] ?? []
  const { limit } = demand.rule
  const used = state.length > 0 && evaluation.now < state[1]! ? state[2]! : 0
  const more = grantedAt(state, evaluation.now)
  const reserved = held(demand, state, evaluation)
  const end = used > 0 || state.length > 0 ? resetAt(demand, state, evaluation) : evaluation.now
  const edge = demand.edges === undefined ? end : periodEnd(demand.edges, evaluation.now)
  return {
    name: policy.name,
    used,
    held: reserved,
    remaining: Math.max(0, limit + more - used - reserved),
    limit,
    granted: more,
    resetAt: Math.ceil((end > evaluation.now ? end : edge) / 1e6),
  }
}

/** Reads the state of a penalty from an evaluation, in seconds and in points rounded to a tenth. */
export function penaltyStatus(rule: PenaltyRule, { penalty: state, now }: Evaluation): PenaltyStatus {
  return {
    isActive: abuseScore.active(state, now),
    penaltyUntil: Math.ceil(abuseScore.until(state) / 1e6),
    abuseScore: Math.round((abuseScore.score(state, now, rule) / POINT) * 10) / 10,
    violations: abuseScore.violations(state),
    lastViolation: Math.ceil(abuseScore.last(state) / 1e6),
  }
}
