import { adviser, forgetSplit, noticeSplit } from '#misuse'

import { fail } from '../base/options-check.ts'
import { Limiter } from '../limiter/limiter.ts'
import { reporter } from '../telemetry/reporter.ts'
import {
  LIMITER_OPTIONS,
  type LimiterSettings,
  type RateLimiterOptions,
  type RequestSettings,
} from '../limiter/options.ts'
import type { GuardOptions, GuardSettings } from './guard-options.ts'

type Store = RateLimiterOptions['store']
// Editors know by `never` which of the two forms somebody writes, and show its texts.
type NoOthers<R> = { readonly [K in keyof RateLimiterOptions<R> as K extends 'policy' ? never : K]?: never }

/** A limiter of your own. */
interface GivenLimiter<R> {
  /** The limiter, instead of its options. */
  readonly limiter: Limiter<R>
  /** Policies that decide instead of the limiter's own. */
  readonly policy?: GuardOptions<R>['policy']
}

/** The options of a limiter that the adapter makes. */
interface OwnLimiter<R> extends LimiterSettings, RequestSettings<R> {
  readonly limiter?: undefined
  /** The store of the counters. Default: the memory of this process. */
  readonly store?: Store | undefined
}

/** Either a limiter with an optional `policy`, or the options of a limiter, with an optional `store`. */
export type LimiterShorthand<R> = (GivenLimiter<R> & NoOthers<R>) | OwnLimiter<R>

/** The options that all adapters accept: a limiter or its options, and the options of the guard. */
export type AdapterOptions<R, S> = LimiterShorthand<R> & GuardSettings<R, S>

/** The options of an adapter that its guard uses. */
export function guardOptionsOf<R, S>(options: AdapterOptions<R, S>): GuardOptions<R, S> {
  // Without `limiter`, the limiter is made from the options, and `policy` is already its own policy.
  return options.limiter === undefined ? { ...options, policy: undefined } : options
}

/**
 * Rejects a value that is no limiter. `instanceof` would reject a limiter of the package's other copy, ESM or CommonJS.
 *
 * @throws HaltError `HALT_E_LIMITER`
 */
export function checkLimiter(limiter: unknown): void {
  if (typeof (limiter as { check?: unknown } | null | undefined)?.check === 'function') return
  fail('HALT_E_LIMITER', 'limiter is not a RateLimiter.', 'Give new RateLimiter({ store, policy }).')
}

/**
 * The limiter of an adapter's options: the given one, or a new one made from the limiter options.
 *
 * @param make makes the limiter; by default one of the kernel, because only the adapter sees it
 * @throws HaltError `HALT_E_LIMITER` for a limiter together with limiter options; `HALT_E_POLICY` and others for wrong options
 */
export function limiterOf<R, L extends Limiter<R> = Limiter<R>>(
  options: object,
  makeStore: () => Store,
  make: (options: RateLimiterOptions<R>) => L = own =>
    new Limiter<R>(own, { witness: reporter, adviser }) as L,
): L {
  const fields = options as Record<string, unknown>
  const { limiter } = fields
  const given = LIMITER_OPTIONS.filter(
    name => fields[name] !== undefined && !(name === 'policy' && limiter !== undefined),
  )
  if (limiter !== undefined) {
    checkLimiter(limiter)
    if (given.length > 0) {
      fail(
        'HALT_E_LIMITER',
        `limiter is given together with ${given.join(', ')}.`,
        'Give these options to the RateLimiter, or leave limiter out.',
      )
    }
    return limiter as L
  }
  const own: Record<string, unknown> = {}
  for (const name of given) own[name] = fields[name]
  if (own['store'] !== undefined) return make(own as unknown as RateLimiterOptions<R>)
  const made = make({ ...own, store: makeStore() } as unknown as RateLimiterOptions<R>)
  noticeSplit(made.policies, made.store, made.warn)
  return made
}

/**
 * Forgets the default store of a limiter whose app has ended, so that a new build of the app does not warn
 * `HALT_W_COUNTER_SPLIT`.
 */
export function forgetDefaultStore({ policies, store }: Pick<Limiter, 'policies' | 'store'>): void {
  forgetSplit(policies, store)
}
