import type { Decision } from '@halt/core'
import type { Outcome } from '@halt/core/http'

/** A refused request, thrown with `throwOnLimited` for `setErrorHandler`; the reply's rate-limit headers are set already. */
export class LimitedError extends Error {
  /** Stable: test this, not `instanceof`. */
  readonly code = 'HALT_E_LIMITED'
  /** 429 or the `statusCode` option; 503 when the store or the policy failed, not the client. */
  readonly statusCode: number
  readonly decision: Decision
  /** The body that would have been sent, as data. */
  readonly body: Readonly<Record<string, unknown>>

  constructor({ status, decision, body }: Outcome) {
    const data = body?.data ?? {}
    const message = data['message'] ?? data['detail']
    super(typeof message === 'string' ? message : 'Too many requests.')
    this.name = 'LimitedError'
    this.statusCode = status
    this.decision = decision as Decision
    this.body = data
  }
}
