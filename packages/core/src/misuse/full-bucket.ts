import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'

/**
 * Warns of a token bucket without a `burst` for which callers wait for their turn. It is full at first, so nearly twice its limit may
 * start within the first window. Those who come from a queue with an interval, such as p-throttle, expect the limit.
 */
export function noticeFullBucket(policies: readonly CompiledPolicy[], warn: Warn): void {
  for (const { name, algorithm, limit, off, shadow, isBurstGiven, window } of policies) {
    if (algorithm !== 'token-bucket' || isBurstGiven || limit === 1 || off || shadow === 1) continue
    return warn({
      code: 'HALT_W_FULL_BUCKET',
      message: `Callers wait for "${name}", a bucket that is full at first. So ${2 * limit - 1} of them may start within the first ${inWords(window)}, and ${limit} of these at once.`,
      fix: `Write burst: 1 for an even pace, algorithm: "sliding-window" for ${limit} in any ${inWords(window)}, or burst: ${limit} if you mean it.`,
    })
  }
}

/** A length of time in microseconds, in the largest unit that gives a whole number: `1 s`, `90 s`, `500 ms`. */
function inWords(micros: number): string {
  for (const [unit, length] of UNITS) if (micros % length === 0) return `${micros / length} ${unit}`
  return `${micros / 1e3} ms`
}

const UNITS = [
  ['d', 86_400e6],
  ['h', 3600e6],
  ['min', 60e6],
  ['s', 1e6],
] as const
