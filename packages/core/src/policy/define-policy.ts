import type { Policy, Quota, RatePolicy } from './policy.ts'

/** Fields that replace a policy's own. A field that is `undefined` replaces nothing. */
export type Overrides<P> = { readonly [K in keyof P]?: P[K] | undefined }

/**
 * Makes a policy or quota from another one and `overrides`. If `limit` changes and `burst` does not, `burst` keeps its proportion
 * to `limit`. A `burst` or `precision` that the new `algorithm` does not use is dropped.
 *
 * @example
 * const roomier = definePolicy(presets.PUBLIC_API, { name: 'partners', limit: 500 }) // burst 600
 */
export function definePolicy<R = unknown>(base: Quota<R>, overrides?: Overrides<Quota<R>>): Quota<R>
export function definePolicy<R = unknown>(base: Policy<R>, overrides?: Overrides<RatePolicy<R>>): Policy<R>
export function definePolicy(base: object, overrides: object = {}): object {
  const from = base as Overrides<RatePolicy>
  const given = Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  ) as Overrides<RatePolicy>
  const { burst, precision, ...rest } = { ...from, ...given }
  const { algorithm = 'token-bucket', limit } = rest
  const forAlgorithm: Record<string, unknown> = {}
  const isBucket = algorithm === 'token-bucket' || given.burst !== undefined
  if (burst !== undefined && isBucket)
    forAlgorithm['burst'] = given.burst ?? rescale(burst, from.limit, limit)
  if (precision !== undefined && (algorithm === 'sliding-window' || given.precision !== undefined))
    forAlgorithm['precision'] = precision
  return Object.freeze({ ...rest, ...forAlgorithm })
}

// An invalid limit leaves the burst as it is. The limiter rejects such a policy.
function rescale(burst: number, before: number | undefined, limit: number | undefined): number {
  if (before === limit || before === undefined || limit === undefined || !(limit > 0)) return burst
  return Math.max(1, Math.round((burst * limit) / before))
}
