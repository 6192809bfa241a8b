import type { PolicyMode } from '../policy/policy.ts'

/**
 * Why a request was allowed or refused.
 *
 * Allowed: `"ok"`; `"exempt"`, not counted. Refused by a number: `"limited"`; `"quota-exceeded"`, until the period ends; `"held"`,
 * calls that run hold what is left of the quota; `"cost-exceeds-limit"`, the cost is above the capacity, so waiting does not help; `"reserved"`, the rest is kept for more
 * important requests; `"fair-share"`, the rest is for tenants that had less. Refused for a time: `"blocked"`, by a cool-down or an
 * operator; `"penalized"`, the limit is reduced because of earlier violations. Refused otherwise: `"missing-key"`, with `onMissingKey: "deny"`; `"policy-error"`, the policy's function
 * failed; `"store-error"`, the store failed and `onStoreError` is `"closed"`.
 */
export type Reason =
  | 'ok'
  | 'exempt'
  | 'limited'
  | 'blocked'
  | 'penalized'
  | 'reserved'
  | 'fair-share'
  | 'quota-exceeded'
  | 'held'
  | 'cost-exceeds-limit'
  | 'missing-key'
  | 'policy-error'
  | 'store-error'

/** The verdict of one policy on a request. */
export interface PolicyVerdict {
  /** The policy's name. */
  readonly policy: string
  /** Whether this policy lets the request pass. */
  readonly allowed: boolean
  /** Why this policy lets the request pass, or refuses it. */
  readonly reason: Reason
  /** Units per window, under the penalty in force. */
  readonly limit: number
  /** Whole units left after this request. */
  readonly remaining: number
  /** When the counter is back to zero (the bucket is full, or the counted units have left the window): Unix seconds, rounded up. */
  readonly resetAt: number
  /** Whole seconds until the same request passes this policy; 0 when it passed, and for `"missing-key"`; `Infinity` when it can never pass. */
  readonly retryAfter: number
  /** The owner of the counter, readable by people: `ip:203.0.113.7`, `user:42`, `api-key:#…`. */
  readonly key: string
  /** Whether the verdict counts (`"enforce"`) or is only reported (`"shadow"`). */
  readonly mode: Exclude<PolicyMode, object | 'off'>
}
