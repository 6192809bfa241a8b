import { type Policy, RateLimiter } from '@halt/core'

import { listOf } from './named-policies.ts'

type Given = Policy | readonly Policy[]
type Resolver = (request: unknown, context?: unknown) => Given | Promise<Given>

/** Makes a limiter whose resolver leaves out the policies of some names. */
export function withoutPolicies(limiter: RateLimiter, without: ReadonlySet<string>): RateLimiter {
  const { policy } = limiter.options
  if (without.size === 0 || typeof policy !== 'function') return limiter
  const resolve = policy as Resolver
  // The limiter compiles policies once per object, so keep one filtered list per object.
  const left = new WeakMap<object, readonly Policy[]>()
  const filter = (given: Given): readonly Policy[] => {
    let kept = left.get(given)
    if (kept === undefined) left.set(given, (kept = listOf(given).filter(({ name }) => !without.has(name))))
    return kept
  }
  const policyOf: Resolver = (request, context) => {
    const given = resolve(request, context)
    return 'then' in given ? given.then(filter) : filter(given)
  }
  return new RateLimiter({ ...limiter.options, policy: policyOf })
}

/** Makes a limiter whose resolver always fails, so that it refuses with 503 or decides by the fallback policy. */
export function failingLimiter(limiter: RateLimiter, error: unknown): RateLimiter {
  const policy = (): never => {
    throw error
  }
  return new RateLimiter({ ...limiter.options, policy })
}
