import type { Warn } from '@halt/core'

import type { HeaderList } from './header-list.ts'
import type { LimitReading } from './limit-reading.ts'
import { capWait } from './longest-wait.ts'
import { readPlain } from './plain.ts'
import { readRetryAfter, serverTime } from './retry-after.ts'
import { readStructured } from './structured.ts'

/** The limits that an answer tells. */
export interface AnswerReading {
  /** The wait in milliseconds, at most 24 hours; `undefined` if the answer tells none. */
  readonly retryAfterMs: number | undefined
  readonly limits: readonly LimitReading[]
}

/** The `Date` header has whole seconds and is a moment old, so a smaller difference says nothing about the clocks. */
const SAME_CLOCK = 2000

/**
 * Reads what the headers of an answer tell about limits. Never throws.
 *
 * @param now this process's clock, in Unix milliseconds
 */
export function readAnswer(headers: HeaderList, now: number, warn: Warn): AnswerReading {
  const wait = readRetryAfter(headers, now)
  const retryAfterMs = wait === undefined ? undefined : capWait(wait, warn)
  // The answer comes from a cache, so its limits are old.
  if (Number(headers.get('age')) > 0) return { retryAfterMs, limits: [] }
  const difference = (serverTime(headers) ?? now) - now
  const ahead = Math.abs(difference) > SAME_CLOCK ? difference : 0
  return { retryAfterMs, limits: limitsOf(headers, now, ahead).map(withinLimit) }
}

// Some servers send a trio beside `RateLimit`. Both tell the same limits. `RateLimit-Policy` alone belongs to the trio.
function limitsOf(headers: HeaderList, now: number, ahead: number): LimitReading[] {
  const structured = readStructured(headers, now)
  if (headers.has('ratelimit') && structured.length > 0) return structured
  const plain = readPlain(headers, now, ahead)
  return plain.length > 0 ? plain : structured
}

function withinLimit(reading: LimitReading): LimitReading {
  const { limit = Infinity, remaining = 0 } = reading
  return remaining > limit ? { ...reading, remaining: limit } : reading
}
