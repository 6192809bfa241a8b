import type { Decision } from '../check/decision.ts'

/**
 * The format of a refusal's body. `"json"`: `error`, `message` and `retry_after`. `"detailed"`: also `reason`, `policy`, `limit`,
 * `remaining` and `reset_at`, so that a front end tells a short wait from a month that is used up. `"problem"`: problem details
 * (RFC 9457).
 */
export type ErrorFormat = (typeof ERROR_FORMATS)[number]

/** The formats of a refusal's body. */
export const ERROR_FORMATS = ['json', 'detailed', 'problem'] as const

/** A refusal's body and its media type. */
export interface RefusalBody {
  readonly type: string
  /** Serialised JSON. */
  readonly text: string
  /** The same content as data. */
  readonly data: Readonly<Record<string, unknown>>
}

const MESSAGE = 'Too many requests. Please try again later.'
const UNAVAILABLE = 'The service cannot take this request now. Please try again later.'
const PROBLEMS = 'https://iana.org/assignments/http-problem-types#'

/** Whether a refusal means that the service is unavailable (503), not that the client sent too many requests (429). */
export function isUnavailable({ reason }: Decision): boolean {
  return reason === 'store-error' || reason === 'policy-error'
}

/** Writes the body of a refusal. */
export function refusalBody(decision: Decision, format: ErrorFormat, status: number): RefusalBody {
  const data =
    format === 'problem'
      ? problem(decision, status)
      : format === 'detailed'
        ? detailed(decision)
        : plain(decision)
  // JSON has no charset parameter (RFC 8259), but plain JSON gets the one that frameworks add.
  const type = format === 'problem' ? 'application/problem+json' : 'application/json; charset=utf-8'
  return { type, text: JSON.stringify(data), data }
}

function plain(decision: Decision): Record<string, unknown> {
  const ours = isUnavailable(decision)
  return {
    error: ours ? 'service_unavailable' : 'rate_limit_exceeded',
    message: ours ? UNAVAILABLE : MESSAGE,
    retry_after: retryAfter(decision),
  }
}

/** The plain body, and why: of the binding policy, and never the key, which may be somebody else's address. */
function detailed(decision: Decision): Record<string, unknown> {
  const { reason, policy, limit, remaining, resetAt } = decision
  return { ...plain(decision), reason, policy, limit, remaining, reset_at: resetAt }
}

/** Makes a problem document (RFC 9457) with the problem types of the IETF's ratelimit-headers draft. */
function problem(decision: Decision, status: number): Record<string, unknown> {
  const ours = isUnavailable(decision)
  const kind = ours
    ? 'temporary-reduced-capacity'
    : decision.reason === 'penalized'
      ? 'abnormal-usage-detected'
      : 'quota-exceeded'
  const violated = decision.verdicts
    .filter(({ allowed, mode }) => !allowed && mode === 'enforce')
    .map(({ policy }) => policy)
  return {
    type: `${PROBLEMS}${kind}`,
    title: ours ? 'Service Unavailable' : 'Too Many Requests',
    status,
    detail: ours ? UNAVAILABLE : MESSAGE,
    retry_after: retryAfter(decision),
    'violated-policies': violated,
  }
}

function retryAfter({ retryAfter: wait }: Decision): number | null {
  return wait > 0 && wait !== Number.POSITIVE_INFINITY ? wait : null
}
