import type { Cost, Decision, Duration, Identity, Warn } from '@halt/core'

/** The parts of a `RateLimiter` that outgoing calls use. */
export interface TurnLimiter {
  readonly warn: Warn
  acquire(
    target: Identity | string,
    options: {
      readonly cost?: Cost | undefined
      readonly maxWait?: Duration | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<Decision>
  release(decision: Decision): Promise<void>
  pause(target: Identity | string, options: { readonly for: Duration }): Promise<void>
}
