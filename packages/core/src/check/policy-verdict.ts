import type { PolicyMode } from '../policy/policy.ts'

/** Why a request was let in or refused. */
export type Reason =
  | 'ok'
  | 'exempt'
  | 'limited'
  | 'blocked'
  | 'penalized'
  | 'quota-exceeded'
  | 'cost-exceeds-limit'
  | 'missing-key'
  | 'policy-error'
  | 'store-error'

/** What one policy said of a request. */
export interface PolicyVerdict {
  readonly policy: string
  readonly allowed: boolean
  readonly reason: Reason
  /** Units a window, under the penalty in force. */
  readonly limit: number
  /** Whole units left after this request. */
  readonly remaining: number
  /** When nothing counts any more (a bucket is full again, the counted units have left): Unix seconds, rounded up. */
  readonly resetAt: number
  /** Whole seconds until the same request passes this policy; 0 when it passed, `Infinity` when it never can. */
  readonly retryAfter: number
  /** Whose counter, for people: `ip:203.0.113.7`, `user:42`, `api-key:#…`. */
  readonly key: string
  readonly mode: Exclude<PolicyMode, object | 'off'>
}
