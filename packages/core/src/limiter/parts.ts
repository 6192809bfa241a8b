import { HaltError } from '../base/errors.ts'
import type { LimiterParts } from './assembly.ts'

// Outside of the limiter, so that nothing of them shows there.
const parts = new WeakMap<object, LimiterParts>()

/** Notes the parts of a limiter, for its wings. */
export function noteParts(limiter: object, own: LimiterParts): void {
  parts.set(limiter, own)
}

/**
 * The parts of a limiter, for its wings: waiting, inspection.
 *
 * @throws HaltError `HALT_E_LIMITER` for anything else
 */
export function partsOf(limiter: object): LimiterParts {
  const own = parts.get(limiter)
  if (own !== undefined) return own
  throw new HaltError(
    'HALT_E_LIMITER',
    'This is not a RateLimiter of this copy of @halt/core.',
    'Import the limiter and what uses it in one way: both as ES modules, or both as CommonJS.',
  )
}
