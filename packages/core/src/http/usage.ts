import { Decision } from '../check/decision.ts'
import type { Limiter } from '../limiter/limiter.ts'
import type { RequestView } from '../request/view.ts'
import { waitOf } from './refusal.ts'

/** What a client has left of one limit. */
export interface LimitUsage {
  readonly policy: string
  /** What a unit is. Absent if the policy does not say. */
  readonly unit?: string
  /** Units per window or period. */
  readonly limit: number
  readonly remaining: number
  /** Units of a quota that calls hold and have not used yet. Absent if none does. */
  readonly held?: number
  /** When everything is available again: Unix seconds. */
  readonly reset_at: number
  /** Whole seconds until a request passes; 0 if it passes now, null if it never does. */
  readonly retry_after: number | null
}

/** The answer of a usage page. */
export interface UsageAnswer {
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    /** Whether the client's requests are not counted. */
    readonly exempt: boolean
    /** Whether the store did not answer, so that the numbers are those of this process. */
    readonly degraded: boolean
    /** Present if an operator has blocked the client, whatever its limits. Then `limits` is empty. */
    readonly blocked?: Pick<LimitUsage, 'retry_after'>
    readonly limits: readonly LimitUsage[]
  }
}

const HEADERS: UsageAnswer['headers'] = Object.freeze({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
})

/**
 * Tells the client of a request what it has left of each limit. It charges nothing, and names nobody else's counter.
 *
 * Left out are policies that only report, and those with a counter for each route, because the page has a route of its own.
 */
export async function usageOf<R>(limiter: Limiter<R>, view: RequestView): Promise<UsageAnswer> {
  const decision = await limiter.peek(view)
  const { reason, degraded, verdicts, counted } = decision
  const isBlocked = reason === 'blocked' && !counted
  const shown = (isBlocked ? [] : verdicts).filter(
    ({ policy, mode }) => mode === 'enforce' && limiter.policyNamed(policy)?.isPerRoute !== true,
  )
  return {
    headers: HEADERS,
    body: {
      exempt: reason === 'exempt',
      degraded: degraded !== false,
      ...(isBlocked ? { blocked: { retry_after: waitOf(decision.retryAfter) } } : {}),
      limits: shown.map(({ policy, allowed, limit, remaining, resetAt, retryAfter }) => ({
        policy,
        ...unitOf(decision, policy),
        limit,
        remaining: Math.min(remaining, limit),
        reset_at: resetAt,
        retry_after: allowed ? 0 : waitOf(retryAfter),
        ...heldOf(decision, policy),
      })),
    },
  }
}

function heldOf(decision: Decision, policy: string): { held?: number } {
  const units = Decision.heldIn(decision, policy)
  return units > 0 ? { held: units } : {}
}

function unitOf(decision: Decision, policy: string): { unit?: string } {
  const unit = Decision.policyOf(decision, policy)?.unit
  return unit === undefined ? {} : { unit }
}
