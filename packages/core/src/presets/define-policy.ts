import type { GivenPolicy } from '../policy/compiled-policy.ts'
import type { ConcurrencyPolicy, Headroom, Policy, PolicyBase, Quota, RatePolicy } from '../policy/policy.ts'
import type { Preset, QuotaPreset } from './preset.ts'

/** The request that the callbacks of a policy read; `unknown` if it has none. */
type RequestOf<P> = P extends { readonly keyExtractor: (request: infer R) => unknown }
  ? R
  : P extends { readonly headroom: (request: infer R) => unknown }
    ? R
    : P extends Policy<infer R>
      ? R
      : unknown

/** All fields of the kind of policy that `P` is: rate, concurrency or quota. `P` may have but a few of them. */
type KindOf<P, R = unknown> = P extends { readonly period: string }
  ? Quota<R>
  : P extends { readonly algorithm: 'concurrency' }
    ? ConcurrencyPolicy<R>
    : RatePolicy<R>

/** The same kind, for the return type. Without callbacks that read a request, it fits every framework. */
type Defined<P, R> = P extends { readonly period: string }
  ? unknown extends R
    ? QuotaPreset
    : Quota<R>
  : P extends { readonly algorithm: 'concurrency' }
    ? ConcurrencyPolicy<R>
    : unknown extends R
      ? Preset
      : RatePolicy<R>

/** Fields that replace a policy's own. A field that is `undefined` replaces nothing. */
export type Overrides<P, R = RequestOf<P>> = PlainOverrides<KindOf<P>> & CallbackOverrides<P, R>

type PlainOverrides<T> = {
  readonly [K in keyof T as Exclude<K, 'keyExtractor' | 'headroom' | 'fair'>]?: T[K] | undefined
}

/** The overrides that read a request. The compiler finds its type only if they stand apart from the others. */
interface CallbackOverrides<P, R> {
  /** Returns the key to count under, or nothing if the request has none. Used instead of `keyStrategy`. */
  readonly keyExtractor?: PolicyBase<R>['keyExtractor']
  /** The share of the capacity that a request must leave to more important ones. Not for quotas. */
  readonly headroom?: (P extends { readonly period: string } ? undefined : Headroom<R>) | undefined
}

/** The same fields, each of which may be left out. */
export type AllOptional<T> = { readonly [K in keyof T]?: T[K] | undefined }

/**
 * Makes a policy or quota from another one and `overrides`. If `limit` changes and `burst` does not, `burst` keeps its proportion
 * to `limit`. A `burst` or `precision` that the new `algorithm` does not use is dropped.
 *
 * @example
 * const roomier = definePolicy(presets.PUBLIC_API, { name: 'partners', limit: 500 }) // burst 600
 */
export function definePolicy<P extends GivenPolicy, R = RequestOf<P>>(
  base: P,
  overrides: Overrides<P, R> = {},
): Defined<P, R> {
  const from = base as AllOptional<RatePolicy<never>>
  const given = Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  ) as AllOptional<RatePolicy<never>>
  const { burst, precision, ...rest } = { ...from, ...given }
  const { algorithm = 'token-bucket', limit } = rest
  const forAlgorithm: Record<string, unknown> = {}
  const isBucket = algorithm === 'token-bucket' || given.burst !== undefined
  if (burst !== undefined && isBucket)
    forAlgorithm['burst'] = given.burst ?? rescale(burst, from.limit, limit)
  if (precision !== undefined && (algorithm === 'sliding-window' || given.precision !== undefined))
    forAlgorithm['precision'] = precision
  return Object.freeze({ ...rest, ...forAlgorithm }) as unknown as Defined<P, R>
}

// An invalid limit leaves the burst as it is. The limiter rejects such a policy.
function rescale(burst: number, before: number | undefined, limit: number | undefined): number {
  if (before === limit || before === undefined || limit === undefined || !(limit > 0)) return burst
  return Math.max(1, Math.round((burst * limit) / before))
}
