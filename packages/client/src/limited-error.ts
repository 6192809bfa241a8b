import { type Decision, HaltError } from '@halt/core'

/** The error of a call whose turn was refused: it would have waited longer than `maxWait`. */
export class LimitedError extends HaltError {
  readonly decision: Decision

  constructor(decision: Decision) {
    super('HALT_E_LIMITED', 'x', 'y')
    this.decision = decision
  }
}
