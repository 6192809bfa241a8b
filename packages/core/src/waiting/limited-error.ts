import { HaltError } from '../base/errors.ts'
import type { Decision } from '../check/decision.ts'

/** The error of a function that was not run, because its caller was refused. */
export class LimitedError extends HaltError {
  declare readonly code: 'HALT_E_LIMITED'
  /** The refusal: its reason, its policy, and the wait. */
  readonly decision: Decision

  constructor(decision: Decision) {
    const { reason, policy, key, retryAfter } = decision
    const wait = Number.isFinite(retryAfter) ? `Call again after ${retryAfter} s` : 'Lower the cost'
    super(
      'HALT_E_LIMITED',
      `"${policy}" refused ${key}: ${reason}.`,
      `${wait}, or give a longer maxWait. error.decision has the details.`,
    )
    this.name = 'LimitedError'
    this.decision = decision
  }
}

/**
 * Whether an error is a refusal, as `run`, `limitedFetch` and others throw it. Then `error.decision` says why and until when.
 * It works by the code, so also where two copies of the package are installed.
 *
 * @example
 * catch (error) {
 *   if (!isLimited(error)) throw error
 *   await job.moveToDelayed(Date.now() + error.decision.retryAfterMs)
 * }
 */
export function isLimited(error: unknown): error is LimitedError {
  if (typeof error !== 'object' || error === null) return false
  const { code, decision } = error as Partial<LimitedError>
  return code === 'HALT_E_LIMITED' && typeof decision === 'object' && decision !== null
}
