import type { ApplicationConfig, ModulesContainer } from '@nestjs/core'

import { handlersOf, type HandlerClass } from '../base/discovery.ts'
import { boundTo, FIELD, GUARDS, has, MESSAGE, PATTERN, ROUTE, tokensOf } from '../base/nest-metadata.ts'
import { RouteGuard } from '../guard/guard.ts'
import type { Runtime } from '../guard/runtime.ts'
import { isLimiterToken, isHaltEnhancer } from '../base/tokens.ts'
import { limitMetadataOf } from '../policies/limit-metadata.ts'

/** A provider, controller or middleware of Nest, and its injected tokens. */
interface Made {
  readonly metatype?: unknown
  /** The tokens of a factory. */
  readonly inject?: readonly unknown[] | undefined
}

/** True if a global guard is ours, by `APP_GUARD` or by `app.useGlobalGuards(…)` before the application starts. */
export function isGuardGlobal(config: ApplicationConfig): boolean {
  return (
    config.getGlobalGuards().some(isOrHoldsHaltEnhancer) ||
    config.getGlobalRequestGuards().some(({ metatype }) => isHaltEnhancer(metatype))
  )
}

/**
 * Warns of an HTTP application whose global `policy` no guard applies. That is so if our guard is not global, no class or
 * handler has it by itself or by `@RateLimit()`, and no class has it or a limiter injected. A `@RateLimit` with policies does
 * not matter here: it counts its own handlers, and says nothing of the others.
 *
 * Does not warn if there are message handlers, because a connected microservice has global guards that cannot be seen here.
 */
export function checkGuard(
  types: ReadonlySet<HandlerClass>,
  modules: ModulesContainer,
  config: ApplicationConfig,
  { limiter, handlerGuards }: Runtime,
): void {
  // Policies that decorators add come with a guard, so only a global policy needs one.
  if (handlerGuards.makeGuard(Object, undefined) === undefined || isGuardGlobal(config)) return
  const handlers = [...types].flatMap(type => handlersOf(type).map(([, handler]) => handler))
  if (!handlers.some(handler => [ROUTE, MESSAGE, FIELD].some(key => has(handler, key)))) return
  if (handlers.some(handler => has(handler, PATTERN))) return
  const holders = [...types, ...handlers]
  if (holders.some(isMeantToCount) || allOf(modules).some(isAsking)) return
  const counted = holders.some(bringsPolicies)
    ? 'only handlers with @RateLimit are counted'
    : 'nothing is counted'
  limiter.warn({
    code: 'HALT_W_NO_GUARD',
    message: `HaltModule has a policy for every call, but HaltGuard is not registered, so ${counted}.`,
    fix: 'Add { provide: APP_GUARD, useClass: HaltGuard } to the providers of the root module.',
  })
}

/** True if a class or handler has our guard, other than by `@RateLimit` with policies. */
function isMeantToCount(holder: object): boolean {
  const guards = boundTo(holder, GUARDS).filter(isOrHoldsHaltEnhancer)
  return guards.some(guard => guard !== RouteGuard) || (guards.length > 0 && !bringsPolicies(holder))
}

function bringsPolicies(holder: object): boolean {
  return limitMetadataOf(holder).limits.some(({ limits }) => limits.length > 0)
}

/** True if a guard is ours, or holds one of ours in a property. */
function isOrHoldsHaltEnhancer(guard: unknown): boolean {
  return (
    isHaltEnhancer(guard) ||
    (typeof guard === 'object' && guard !== null && Object.values(guard).some(isHaltEnhancer))
  )
}

/** True if a class or a factory has our guard or a limiter injected. */
function isAsking({ metatype, inject }: Made): boolean {
  const tokens = [...(inject ?? []), ...(typeof metatype === 'function' ? tokensOf(metatype) : [])]
  return tokens.map(plain).some(token => isLimiterToken(token) || isHaltEnhancer(token))
}

// Unwraps `{ token, optional }` of a factory, and `forwardRef(() => token)`.
function plain(token: unknown): unknown {
  const { token: inner, forwardRef } = Object(token) as { token?: unknown; forwardRef?: () => unknown }
  return typeof forwardRef === 'function' ? forwardRef() : (inner ?? token)
}

function allOf(modules: ModulesContainer): readonly Made[] {
  return [...modules.values()].flatMap(({ providers, controllers, injectables, middlewares }) =>
    [providers, controllers, injectables, middlewares].flatMap(found => [...found.values()] as Made[]),
  )
}
