import type { RateLimiter } from '@halt/core'

/** The parts of a `RateLimiter` that outgoing calls use. */
export type TurnLimiter = Pick<RateLimiter<never>, 'acquire' | 'pause' | 'release' | 'warn'>
