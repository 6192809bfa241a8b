import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { OnStoreError } from '../policy/policy.ts'
import { Decision } from './decision.ts'
import type { PolicyVerdict, Reason } from './verdict-reader.ts'

/** The client, the policy and the cost of a decision that no counter made. */
export interface UncountedFacts {
  readonly policy: string
  readonly limit: number
  readonly key: string
  readonly cost: number
}

/** The fields of a decision about a policy, or about none. */
export function uncounted(policy: CompiledPolicy | undefined, key: string, cost: number): UncountedFacts {
  return { policy: policy?.name ?? '', limit: policy?.limit ?? 0, key, cost }
}

const NO_VERDICTS: readonly PolicyVerdict[] = Object.freeze([])

/**
 * Makes a decision that allows a request without counting it: it is exempt, or (`open`) the store is unavailable and
 * `onStoreError` is `"open"`.
 */
export function allowUncounted(
  { policy, limit, key, cost }: UncountedFacts,
  nowMs: number,
  open = false,
): Decision {
  const resetAt = Math.ceil(nowMs / 1000)
  const shown = {
    allowed: true,
    reason: open ? ('ok' as const) : ('exempt' as const),
    policy,
    limit,
    remaining: limit,
    resetAt,
    key,
  }
  return new Decision(shown, 0, open ? cost : 0, open ? 'open' : false, nowMs / 1000, undefined, NO_VERDICTS)
}

/**
 * Makes a refusal that no counter decided: there is no key, no policy or no store, or an operator has blocked the client.
 *
 * @param wait seconds until the same request passes
 */
export function refusal(
  reason: Reason,
  { policy, limit, key, cost }: UncountedFacts,
  nowMs: number,
  degraded: false | OnStoreError = false,
  wait = 0,
): Decision {
  const retryAfter = Math.ceil(wait)
  const resetAt = Math.ceil(nowMs / 1000) + (Number.isFinite(wait) ? retryAfter : 0)
  const verdict: PolicyVerdict = Object.freeze({
    policy,
    allowed: false,
    reason,
    limit,
    remaining: 0,
    resetAt,
    retryAfter,
    key,
    mode: 'enforce',
  })
  return new Decision(verdict, wait * 1e6, cost, degraded, nowMs / 1000, undefined, Object.freeze([verdict]))
}
