import { type Warn, warnOnce } from '@halt/core'

import { readAnswer } from './headers/answer-reading.ts'
import { headersOf } from './headers/header-list.ts'

/** One limit of a server, as an answer tells it. A number that the answer does not tell is `undefined`. */
export interface PolicyReport {
  /** The name that the server gives the limit; `"default"` if it gives none. */
  readonly policy: string
  /** Units per window. */
  readonly limit: number | undefined
  /** Units left, at most `limit`. */
  readonly remaining: number | undefined
  /** When the server renews the limit: Unix seconds of this process's clock, rounded up. */
  readonly resetAt: number | undefined
  /** In seconds. Absent if the answer does not tell it. */
  readonly window?: number
}

/** The limits of a server, as one of its answers tells them. */
export interface RateLimitReport {
  /** Seconds to wait before the next call, rounded up, at most 24 hours; 0 if the answer tells none. */
  readonly retryAfter: number
  /** The limits. Empty if the answer tells none, or comes from a cache. */
  readonly policies: readonly PolicyReport[]
}

/** An answer of a server: a `Response`, an answer of undici, got or axios, or headers alone. */
export type Answer =
  | { readonly headers: object }
  | Headers
  | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Reads the limits that an answer tells: `Retry-After`, each draft of RateLimit, `x-ratelimit-*` as GitHub and OpenAI write
 * them, and `anthropic-ratelimit-*`. It never throws. It ignores headers that it cannot read.
 *
 * @param options `warn`: told if a `Retry-After` above 24 hours was shortened. Default: printed once per process
 * @example
 * const { retryAfter, policies } = parseRateLimit(await fetch('https://api.github.com/zen'))
 */
export function parseRateLimit(
  answer: Answer,
  options: { readonly warn?: Warn | undefined } = {},
): RateLimitReport {
  const { retryAfterMs = 0, limits } = readAnswer(headersOf(answer), Date.now(), options.warn ?? warnOnce())
  return {
    retryAfter: Math.ceil(retryAfterMs / 1000),
    policies: limits.map(({ policy, limit, remaining, resetAtMs, window }) => ({
      policy,
      limit,
      remaining,
      resetAt: resetAtMs === undefined ? undefined : Math.ceil(resetAtMs / 1000),
      ...(window !== undefined && { window }),
    })),
  }
}
