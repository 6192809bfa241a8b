import { Decision } from '../check/decision.ts'
import { instantOf, refusalSentence } from './refusal-sentence.ts'

/**
 * The format of a refusal's body. `"json"`: `error`, `message` and `retry_after`. `"detailed"`: also `reason`, `policy`, `limit`,
 * `remaining` and `reset_at`, and a `message` that names what is used up, so that a front end tells a short wait from a month that is gone. `"problem"`: problem details
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
const HELD = 'Requests that are still running hold the rest of the budget. Please try again later.'
const UNAVAILABLE = 'The service cannot take this request now. Please try again later.'
const PROBLEMS = 'https://iana.org/assignments/http-problem-types#'

/** Whether a refusal means that a budget is used up whose status is 402. */
export function isUnpaid(decision: Decision): boolean {
  const { allowed, reason, policy } = decision
  if (allowed || (reason !== 'quota-exceeded' && reason !== 'cost-exceeds-limit')) return false
  return Decision.policyOf(decision, policy)?.status === 402
}

/** The status of a refusal: 503 if the service is unavailable, 402 if a budget is used up that says so, else the given one. */
export function statusOf(decision: Decision, given: number): number {
  return isUnavailable(decision) ? 503 : isUnpaid(decision) ? 402 : given
}

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
  if (isUnpaid(decision)) {
    const { policy, resetAt } = decision
    return {
      error: 'budget_exceeded',
      message: unpaidMessage(decision),
      policy,
      reset_at: resetAt,
      retry_after: null,
    }
  }
  const ours = isUnavailable(decision)
  return {
    error: ours ? 'service_unavailable' : 'rate_limit_exceeded',
    message: messageOf(decision),
    retry_after: waitOf(decision.retryAfter),
  }
}

/** The sentence of a refusal that is not for a budget which is used up. */
function messageOf(decision: Decision): string {
  return isUnavailable(decision) ? UNAVAILABLE : decision.reason === 'held' ? HELD : MESSAGE
}

/** The plain body, what is used up, and why: of the binding policy, and never the key, which may be somebody else's address. */
function detailed(decision: Decision): Record<string, unknown> {
  const { reason, policy, limit, remaining, resetAt } = decision
  const message = isUnavailable(decision) ? UNAVAILABLE : refusalSentence(decision)
  return { ...plain(decision), message, reason, policy, limit, remaining, reset_at: resetAt }
}

function unpaidMessage({ reason, policy, resetAt }: Decision): string {
  if (reason === 'cost-exceeds-limit') return `This request costs more than the whole budget "${policy}".`
  return `The budget "${policy}" is used up. It begins anew at ${instantOf(resetAt)}.`
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
  const unpaid = isUnpaid(decision)
  return {
    type: `${PROBLEMS}${kind}`,
    title: ours ? 'Service Unavailable' : unpaid ? 'Payment Required' : 'Too Many Requests',
    status,
    detail: unpaid ? unpaidMessage(decision) : messageOf(decision),
    retry_after: unpaid ? null : waitOf(decision.retryAfter),
    ...(unpaid ? { reset_at: decision.resetAt } : {}),
    'violated-policies': violated,
  }
}

/** The wait of a refusal in JSON: null if no wait helps, because the cost can never pass (`Infinity`) or the key is missing (0). */
export function waitOf(retryAfter: number): number | null {
  return retryAfter > 0 && retryAfter !== Number.POSITIVE_INFINITY ? retryAfter : null
}
