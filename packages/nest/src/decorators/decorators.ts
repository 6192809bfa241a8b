import type { AnyPolicy, Decision } from '@halt/core'
import { fromCaller, HaltError } from '@halt/core'
import { checkGuardOptions, describe, type GuardOptions } from '@halt/core/http'
import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'

import { decisionOf } from '../calls/call.ts'
import { RouteGuard } from '../guard/guard.ts'
import { HaltInterceptor } from '../guard/interceptor.ts'
import type { NestCost, NestPolicy, NestRequest } from '../options/policy.ts'
import { addLimitMetadata, type LimitDecorator } from '../policies/limit-metadata.ts'
import { getRateLimiterToken, wantedNames } from '../base/tokens.ts'

/** Options of {@link RateLimit}. */
export interface RateLimitOptions {
  /**
   * Whether the policies stand instead of the global ones (on a handler: and of the class's). Default false: beside them.
   * Without any it is refused when the application starts.
   */
  readonly override?: boolean | undefined
}

/**
 * Counts the calls of a handler, or of all handlers of a class, by these policies too: beside the global ones, in one
 * check, all charged or none.
 *
 * It works where no `HaltGuard` reaches, too (gateways: Nest 11 keeps its global guards from them), behind the other guards
 * of the class or handler it stands on; without policies it says just this: count here. A name that nobody gave a policy
 * is refused when the application starts.
 *
 * @param limits names of the module's `policies`, policies, and last, options
 * @example
 * `@RateLimit('auth')`, `@RateLimit({ name: 'exports', limit: 5, window: '1h', keyStrategy: 'user' })`
 */
export function RateLimit<R = NestRequest>(
  ...limits: readonly (string | NestPolicy<R> | RateLimitOptions)[]
): LimitDecorator {
  const last = limits.at(-1)
  const options = isOptions(last) ? last : undefined
  const given = options === undefined ? limits : limits.slice(0, -1)
  fromCaller(RateLimit, () => given.forEach(checkLimit))
  const mark = addLimitMetadata({
    limits: [{ limits: given as (string | AnyPolicy)[], override: options?.override === true }],
  })
  const bind = [UseGuards(RouteGuard), UseInterceptors(HaltInterceptor)]
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    for (const decorate of [mark, ...bind] as MethodDecorator[])
      decorate(target, name as string, descriptor as PropertyDescriptor)
  }
}

/** Does not count the calls of a handler or class: by none of the policies so far, or by those named. */
export function SkipRateLimit(...names: readonly string[]): LimitDecorator {
  return addLimitMetadata({ skips: [names] })
}

/** Sets the units that a call of a handler or class takes: a number for every policy, by policy name, or a function. */
export function RateLimitCost<R = NestRequest>(cost: NestCost<R>): LimitDecorator {
  fromCaller(RateLimitCost, () => checkGuardOptions({ cost } as GuardOptions))
  return addLimitMetadata({ cost: cost as GuardOptions['cost'] })
}

/** The decision that let the call in, as a parameter; undefined where none was made. */
export const RateLimitDecision: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): Decision | undefined => decisionOf(context),
)

/**
 * Injects a limiter, to be asked by hand.
 *
 * @param name of one of the `policies`, or a policy's own: then it counts by that alone; without it, the module's limiter
 */
export function InjectRateLimiter(name?: string): ParameterDecorator & PropertyDecorator {
  if (name !== undefined) wantedNames().add(name)
  return Inject(getRateLimiterToken(name))
}

function checkLimit(limit: unknown): void {
  if (typeof limit === 'string' || (typeof limit === 'object' && limit !== null && !isOptions(limit))) return
  throw new HaltError(
    'HALT_E_POLICY',
    `@RateLimit got ${describe(limit)}.`,
    'Give names of policies, policies, and { override } last.',
  )
}

function isOptions(limit: unknown): limit is RateLimitOptions {
  if (typeof limit !== 'object' || limit === null) return false
  return 'override' in limit ? !('name' in limit) : Object.keys(limit).length === 0
}
