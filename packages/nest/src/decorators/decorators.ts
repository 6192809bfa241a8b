import type { Policy, Decision } from '@halt/core'
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
   * True: the policies replace the global ones, and on a handler the policies of the class too. Default false: they are added.
   * Without a policy it fails when the application starts.
   */
  readonly override?: boolean | undefined
}

/**
 * Adds policies to a handler, or to all handlers of a class. They are decided in one check with the global ones: all are
 * charged or none.
 *
 * It brings a guard of its own, which runs after the other guards of the class or handler. So it also counts calls that the
 * global `HaltGuard` does not reach, such as those of gateways under Nest 11. Without policies it only brings this guard. An
 * unknown name fails when the application starts.
 *
 * @param limits names of the module's `policies`, policies, and options as the last one
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
    limits: [{ limits: given as (string | Policy)[], override: options?.override === true }],
  })
  const bind = [UseGuards(RouteGuard), UseInterceptors(HaltInterceptor)]
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    for (const decorate of [mark, ...bind] as MethodDecorator[])
      decorate(target, name as string, descriptor as PropertyDescriptor)
  }
}

/** Exempts the calls of a handler or class from the policies that apply so far: from all of them, or from those named. */
export function SkipRateLimit(...names: readonly string[]): LimitDecorator {
  return addLimitMetadata({ skips: [names] })
}

/** Sets the units that a call of a handler or class costs: a number for every policy, numbers by policy name, or a function. */
export function RateLimitCost<R = NestRequest>(cost: NestCost<R>): LimitDecorator {
  fromCaller(RateLimitCost, () => checkGuardOptions({ cost } as GuardOptions))
  return addLimitMetadata({ cost: cost as GuardOptions['cost'] })
}

/** Injects the decision that admitted the call, as a parameter; undefined if the call was not counted. */
export const RateLimitDecision: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): Decision | undefined => decisionOf(context),
)

/**
 * Injects a limiter, for code that decides by itself.
 *
 * @param name a key of `policies` or the name of a policy: the limiter counts only by that. Without it: the module's limiter
 */
export function InjectRateLimiter(name?: string): ParameterDecorator & PropertyDecorator {
  if (name !== undefined) wantedNames().add(name)
  return Inject(getRateLimiterToken(name))
}

function checkLimit(limit: unknown): void {
  if (typeof limit === 'object' && limit !== null && 'override' in limit && 'name' in limit) {
    throw new HaltError(
      'HALT_E_UNKNOWN_FIELD',
      `The policy "${String(limit.name)}" of @RateLimit has a field "override".`,
      'Give it as the last argument: @RateLimit({ name, … }, { override: true }).',
    )
  }
  if (typeof limit === 'string' || (typeof limit === 'object' && limit !== null && !isOptions(limit))) return
  throw new HaltError(
    'HALT_E_POLICY',
    `@RateLimit got ${describe(limit)}.`,
    'Give names of policies or policies, and { override } as the last one.',
  )
}

function isOptions(limit: unknown): limit is RateLimitOptions {
  if (typeof limit !== 'object' || limit === null) return false
  return 'override' in limit ? !('name' in limit) : Object.keys(limit).length === 0
}
