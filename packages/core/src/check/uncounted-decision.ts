import type { OnStoreError } from '../policy/policy.ts'
import { Decision } from './decision.ts'
import type { PolicyVerdict, Reason } from './policy-verdict.ts'

/** Whose request it is about, and by which policy, where no counter decides. */
export interface Uncounted {
  readonly policy: string
  readonly limit: number
  readonly key: string
  readonly cost: number
}

const NO_VERDICTS: readonly PolicyVerdict[] = Object.freeze([])

/** A decision that lets a request in uncounted: it is exempt, or (`open`) the store is away and the policies are open. */
export function pass({ policy, limit, key, cost }: Uncounted, nowMs: number, open = false): Decision {
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
  return new Decision(shown, 0, open ? cost : 0, open ? 'open' : false, nowMs / 1000, NO_VERDICTS)
}

/** A refusal that no counter decided: no key, no policy, no store. */
export function refusal(
  reason: Reason,
  { policy, limit, key, cost }: Uncounted,
  nowMs: number,
  degraded: false | OnStoreError = false,
  retryAfter = 0,
): Decision {
  const resetAt = Math.ceil(nowMs / 1000) + retryAfter
  const said: PolicyVerdict = Object.freeze({
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
  return new Decision(said, retryAfter * 1e6, cost, degraded, nowMs / 1000, Object.freeze([said]))
}
