import type { CheckOptions } from '../check/check-options.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'

/**
 * The policies of a guard, compiled here so that a mistake shows at start. With a resolver they are only known at each
 * request.
 */
export function policiesOf<R>(
  limiter: RateLimiter<R>,
  policy: CheckOptions<R>['policy'],
  also: CheckOptions<R>['also'],
): { readonly policies: readonly CompiledPolicy[]; readonly hasResolver: boolean } {
  const hasResolver = policy === undefined && limiter.policies.length === 0
  const usesOwnPolicies = policy === undefined && also === undefined
  return { hasResolver, policies: usesOwnPolicies ? limiter.policies : limiter.compile(policy, also) }
}
