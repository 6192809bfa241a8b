import type { PolicyMode } from '../policy/policy.ts'

/** Why a request was allowed or refused. */
export type Reason =
  | 'ok'
  | 'exempt'
  | 'limited'
  | 'blocked'
  | 'penalized'
  | 'reserved'
  | 'quota-exceeded'
  | 'cost-exceeds-limit'
  | 'missing-key'
  | 'policy-error'
  | 'store-error'

/** The verdict of one policy on a request. */
export interface PolicyVerdict {
  readonly policy: string
  readonly allowed: boolean
  readonly reason: Reason
  /** Units per window, under the penalty in force. */
  readonly limit: number
  /** Whole units left after this request. */
  readonly remaining: number
  /** When the counter is back to zero (the bucket is full, or the counted units have left the window): Unix seconds, rounded up. */
  readonly resetAt: number
  /** Whole seconds until the same request passes this policy; 0 when it passed, `Infinity` when it can never pass. */
  readonly retryAfter: number
  /** The owner of the counter, readable by people: `ip:203.0.113.7`, `user:42`, `api-key:#…`. */
  readonly key: string
  readonly mode: Exclude<PolicyMode, object | 'off'>
}
