import type { Policy, Quota, RatePolicy } from './policy.ts'

/** Fields that win over a policy's own; `undefined` is absent. */
export type Overrides<P> = { readonly [K in keyof P]?: P[K] | undefined }

/**
 * Makes a policy or quota from another: `overrides` win, `burst` keeps its proportion when only `limit` changes, and what an
 * overriding `algorithm` has no use for is left out.
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
  const own: Record<string, unknown> = {}
  const isBucket = algorithm === 'token-bucket' || given.burst !== undefined
  if (burst !== undefined && isBucket) own['burst'] = given.burst ?? rescaled(burst, from.limit, limit)
  if (precision !== undefined && (algorithm === 'sliding-window' || given.precision !== undefined))
    own['precision'] = precision
  return Object.freeze({ ...rest, ...own })
}

// A limit that is none is the limiter's to refuse.
function rescaled(burst: number, before: number | undefined, limit: number | undefined): number {
  if (before === limit || before === undefined || limit === undefined || !(limit > 0)) return burst
  return Math.max(1, Math.round((burst * limit) / before))
}
