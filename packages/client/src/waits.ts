import type { AnswerReading } from './headers/answer-reading.ts'

const FIRST = 500
const LONGEST = 30_000

/**
 * The wait before a call is sent again if its server tells none, in milliseconds: 0.5 s, then twice as long each time up to
 * 30 s, of which a random part of at most a half is taken off, so that the calls of many processes spread.
 *
 * @param attempt how many times the call was sent: 1 or more
 * @param random a number from 0 to 1
 */
export function backoff(attempt: number, random: number): number {
  const whole = Math.min(LONGEST, FIRST * 2 ** (attempt - 1))
  return whole * (1 - random / 2)
}

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
