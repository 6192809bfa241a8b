import { HaltError } from '../base/errors.ts'
import type { Decision } from './decision.ts'

/** The error of a function that was not run, because its caller was refused. */
export class LimitedError extends HaltError {
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
