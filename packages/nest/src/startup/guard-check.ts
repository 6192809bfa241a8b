import type { ApplicationConfig, ModulesContainer } from '@nestjs/core'

import { handlersOf, type HandlerClass } from '../base/discovery.ts'
import { boundTo, FIELD, GUARDS, has, MESSAGE, PATTERN, ROUTE, tokensOf } from '../base/nest-metadata.ts'
import type { Runtime } from '../guard/runtime.ts'
import { isLimiterToken, isHaltEnhancer } from '../base/tokens.ts'

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
 * Warns of an HTTP application whose global `policy` counts nothing. That is so if our guard is not global, no class or
 * handler has it (by itself or by `@RateLimit`), and no class has it or a limiter injected.
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
  if ([...types, ...handlers].some(holder => boundTo(holder, GUARDS).some(isOrHoldsHaltEnhancer))) return
  if (allOf(modules).some(isAsking)) return
  limiter.warn({
    code: 'HALT_W_NO_GUARD',
    message:
      'HaltModule has a policy for every call, but HaltGuard is not registered, so nothing is counted.',
    fix: 'Add { provide: APP_GUARD, useClass: HaltGuard } to the providers of the root module.',
  })
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
