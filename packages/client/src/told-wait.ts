import type { AnswerReading } from './headers/answer-reading.ts'

/** Statuses by which a server refuses a call for its rate. GitHub refuses with 403. */
const REFUSALS: ReadonlySet<number> = new Set([403, 429, 503])

/** True if a server may refuse a call for its rate by this status. */
export function isRefusal(status: number): boolean {
  return REFUSALS.has(status)
}

/**
 * How long calls have to wait after an answer, in milliseconds: `Retry-After` of a refusal, else until the last of the limits
 * that have nothing left is renewed. 0 if the answer tells nothing, or tells an instant in the past.
 *
 * @param refused whether the answer is a refusal. `Retry-After` means something else in others
 */
export function toldWait(refused: boolean, { retryAfterMs = 0, limits }: AnswerReading, now: number): number {
  if (refused && retryAfterMs > 0) return retryAfterMs
  let wait = 0
  for (const { remaining, resetAtMs } of limits) {
    if (remaining === 0 && resetAtMs !== undefined) wait = Math.max(wait, resetAtMs - now)
  }
  return wait
}
