import type { Decision } from '@halt/core'
import type { Outcome } from '@halt/core/http'

/** The error that `throwOnLimited` passes to `setErrorHandler`. The rate limit headers of the reply are set already. */
export class LimitedError extends Error {
  /** Stable. Test this instead of `instanceof`. */
  readonly code = 'HALT_E_LIMITED'
  /** 429 or the `statusCode` option; 503 if the store or the policy failed. */
  readonly statusCode: number
  readonly decision: Decision
  /** The default body, as data. */
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
