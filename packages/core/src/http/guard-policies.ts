import { HaltError } from '../base/errors.ts'
import type { CheckOptions } from '../check/check-options.ts'
import type { Limiter } from '../limiter/limiter.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'

/**
 * The policies of a guard, compiled here so that a mistake shows at start. With a resolver they are only known at each
 * request.
 *
 * @throws HaltError `HALT_E_POLICY` for a function: only the policy of a limiter may be one
 */
export function policiesOf<R>(
  limiter: Limiter<R>,
  policy: CheckOptions<R>['policy'],
  also: CheckOptions<R>['also'],
): { readonly policies: readonly CompiledPolicy[]; readonly hasResolver: boolean } {
  refuseFunction(policy)
  refuseFunction(also)
  const hasResolver = policy === undefined && limiter.policies.length === 0
  const usesOwnPolicies = policy === undefined && also === undefined
  return { hasResolver, policies: usesOwnPolicies ? limiter.policies : limiter.compile(policy, also) }
}

function refuseFunction(policy: unknown): void {
  if (typeof policy !== 'function') return
  throw new HaltError(
    'HALT_E_POLICY',
    'policy is a function, but it is for a limiter that has a policy already.',
    'Leave limiter out, halt({ store, policy: request => … }), or give the function to a RateLimiter of its own.',
  )
}
