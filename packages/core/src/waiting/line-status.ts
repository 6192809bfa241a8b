import { Decision } from '../check/decision.ts'
import { evaluationAt, lineOf, type UnitsInLine } from '../store/reading.ts'

/** The line of an identity at one moment. */
export interface LineStatus {
  /**
   * The units that wait, rounded up: over all processes in the longest of the lines in which a newcomer would stand. A settlement that
   * overdrew a bucket counts as well. The store knows the lines of token buckets. Otherwise, and while the store is away, these are the
   * units of `callers`.
   */
  readonly units: number
  /**
   * How many callers of the identity wait in this process for a turn by this limiter. Where one counter serves everybody, all its callers
   * count. A caller that the store is still being asked about does not count yet.
   */
  readonly callers: number
  /**
   * Milliseconds until the last of the units starts if nothing changes, rounded up; 0 if nobody waits. Undefined if nobody can know:
   * callers of windows, of quotas, of `concurrency` and with `headroom` have no places, and ask again.
   */
  readonly lastStartsInMs: number | undefined
}

/** The longest line that the store knows for an identity. Undefined if it knows none, or did not answer. */
export function longestLine(decision: Decision | undefined): UnitsInLine | undefined {
  const result = Decision.recordOf(decision)?.result
  if (result === undefined || result.degraded !== false) return undefined
  const { check, evaluation } = result
  const lines = check.policies.flatMap(
    (_, i) => lineOf(check.demands[i]!, evaluation.states[i] ?? [], evaluationAt(evaluation, i)) ?? [],
  )
  return lines.reduce<UnitsInLine | undefined>(
    (longest, line) => (longest === undefined || line.micros > longest.micros ? line : longest),
    undefined,
  )
}
