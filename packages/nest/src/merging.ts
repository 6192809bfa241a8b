import { type AnyPolicy, RateLimiter } from '@halt/core'
import { callUser } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import type { Planner } from './planner.ts'

type Given = AnyPolicy | readonly AnyPolicy[]
type Resolver = (request: unknown, context: ExecutionContext) => unknown

/**
 * Makes a limiter that counts by what a resolver gives and what decorators make of it, in one check. It fails as the
 * limiter itself would: to the fallback policies, and what decorators make of these, or to 503.
 */
export function mergingLimiter(limiter: RateLimiter, planner: Planner): RateLimiter {
  const { policy, fallbackPolicy } = limiter.options
  const resolve: Resolver = typeof policy === 'function' ? (policy as Resolver) : () => []
  const fix =
    fallbackPolicy === undefined
      ? 'Give a fallbackPolicy; until then such calls get 503.'
      : 'The fallbackPolicy decides.'

  function merged(request: unknown, context: ExecutionContext): Given | Promise<Given> {
    const finish = (given: unknown): Given => {
      const { merge } = planner.planOf(context, false)
      if (typeof given !== 'object' || given === null || merge === undefined)
        throw new Error('the policy resolver gave no policy')
      return merge(given as Given)
    }
    const found = callUser(limiter, 'policy', fix, () => resolve(request, context))
    if ('then' in found) return found.then(result => finish(result.failed ? fallbackPolicy : result.value))
    return finish(found.failed ? fallbackPolicy : found.value)
  }
  return new RateLimiter({
    ...limiter.options,
    policy: merged as (request: unknown) => Given | Promise<Given>,
  })
}
