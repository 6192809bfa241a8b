import type { CheckOptions, PeekOptions } from '../check/check-options.ts'
import type { Decision } from '../check/decision.ts'
import type { Limiter } from '../limiter/limiter.ts'
import { partsOf } from '../limiter/assembly.ts'
import type { Identity } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import type { Store } from '../store/contract.ts'
import { CounterReset } from './counter-reset.ts'
import type { CounterReading } from './counter-reading.ts'
import type { Explanation } from './explanation.ts'
import { Inspector } from './inspector.ts'

/** What looks into a limiter. */
export interface Inspection {
  readonly inspector: Inspector
  readonly counterReset: CounterReset
}

const inspections = new WeakMap<object, Inspection>()

/** What looks into a limiter. A limiter has one. */
export function inspectionOf(limiter: { readonly store: Store }): Inspection {
  let own = inspections.get(limiter)
  if (own !== undefined) return own
  const parts = partsOf(limiter)
  const inspector = new Inspector(parts)
  const counterReset = new CounterReset({ ...parts, store: limiter.store, inspector })
  inspections.set(limiter, (own = { inspector, counterReset }))
  return own
}

/** As `RateLimiter.explain`, for a limiter of either kind. */
export function explain<R>(
  limiter: Limiter<R>,
  target: R | RequestView | Identity,
  options: PeekOptions<R> = {},
): Promise<Explanation> {
  return inspectionOf(limiter).inspector.explain(target, options)
}

/** As `RateLimiter.inspect`, for a limiter of either kind. */
export function inspect<R>(
  limiter: Limiter<R>,
  target: R | RequestView | Identity,
  options: PeekOptions<R> = {},
): Promise<readonly CounterReading[]> {
  return inspectionOf(limiter).inspector.inspect(target, options)
}

/** As `RateLimiter.reset`, for a limiter of either kind. */
export function reset<R>(
  limiter: Limiter<R>,
  target: Identity | R | RequestView | Decision,
  { policy }: Pick<CheckOptions<R>, 'policy'> = {},
): Promise<number> {
  return inspectionOf(limiter).counterReset.reset(target, policy)
}
