import { HaltError } from '../base/errors.ts'
import { RateLimiter } from '../limiter/rate-limiter.ts'
import { forgetSplit, noticeSplit } from '../misuse/index.ts'
import { LIMITER_OPTIONS, type RateLimiterOptions } from '../limiter/options.ts'
import type { GuardOptions } from './guard-options.ts'

type Store = RateLimiterOptions['store']
type NoOthers<R> = { readonly [K in keyof RateLimiterOptions<R> as K extends 'policy' ? never : K]?: never }

/** Either a limiter, beside which only a `policy` may stand, or the options of one; `store` is then optional. */
export type LimiterShorthand<R> =
  | ({ readonly limiter: RateLimiter<R> } & Pick<GuardOptions<R>, 'policy'> & NoOthers<R>)
  | ({ readonly limiter?: undefined } & Omit<RateLimiterOptions<R>, 'store'> & {
        readonly store?: Store | undefined
      })

/** What all adapters take: a limiter or its options, and how requests are guarded with it. */
export type AdapterOptions<R, S> = LimiterShorthand<R> & Omit<GuardOptions<R, S>, 'policy'>

/** What is left of an adapter's options for its guard. */
export function guardOptionsOf<R, S>(options: AdapterOptions<R, S>): GuardOptions<R, S> {
  // Without a limiter of its own, `policy` is already the one that the limiter made of the options decides by.
  return options.limiter === undefined ? { ...options, policy: undefined } : options
}

/**
 * The limiter of an adapter's options: the one given, or one made from the limiter options among them.
 *
 * @throws HaltError `HALT_E_LIMITER` for both; `HALT_E_POLICY` and whatever else is wrong with the options of one
 */
export function limiterOf<R>(options: object, makeStore: () => Store): RateLimiter<R> {
  const fields = options as Record<string, unknown>
  const { limiter } = fields
  const given = LIMITER_OPTIONS.filter(
    name => fields[name] !== undefined && !(name === 'policy' && limiter !== undefined),
  )
  if (limiter !== undefined) {
    // Not instanceof: an ESM and a CommonJS copy may coexist.
    if (typeof (limiter as { check?: unknown } | null)?.check !== 'function') {
      throw new HaltError(
        'HALT_E_LIMITER',
        'limiter is not a RateLimiter.',
        'Give new RateLimiter({ store, policy }).',
      )
    }
    if (given.length > 0) {
      throw new HaltError(
        'HALT_E_LIMITER',
        `limiter stands beside ${given.join(', ')}.`,
        'Give these to the RateLimiter, or leave limiter out.',
      )
    }
    return limiter as RateLimiter<R>
  }
  const own: Record<string, unknown> = {}
  for (const name of given) own[name] = fields[name]
  if (own['store'] !== undefined) return new RateLimiter<R>(own as unknown as RateLimiterOptions<R>)
  const made = new RateLimiter<R>({ ...own, store: makeStore() } as unknown as RateLimiterOptions<R>)
  noticeSplit(made.policies, made.store, made.warn)
  return made
}

/** Tells that the app of a limiter has ended, which may be built anew with a default store of its own: HALT_W_COUNTER_SPLIT. */
export function forgetDefaultStore({
  policies,
  store,
}: Pick<RateLimiter<never>, 'policies' | 'store'>): void {
  forgetSplit(policies, store)
}
