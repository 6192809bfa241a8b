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
