import { type Decision, HaltError } from '@halt/core'

import type { ToolRefusal } from './refusal.ts'

/** The error of a wrapped function that was not run. `isLimited` of `@halt/core` knows it. Its texts hold no key, so a model may read them. */
export class ToolLimitedError extends HaltError {
  declare readonly code: 'HALT_E_LIMITED'
  /** What the model may be told. */
  readonly refusal: ToolRefusal
  /** The decision, for your code. It names the caller, so it is not serialised. */
  declare readonly decision: Decision

  constructor(refusal: ToolRefusal, decision: Decision) {
    super('HALT_E_LIMITED', refusal.message, 'error.refusal has the details.')
    this.name = 'LimitedError'
    this.message = refusal.message
    this.refusal = refusal
    Object.defineProperty(this, 'decision', { value: decision })
  }
}
