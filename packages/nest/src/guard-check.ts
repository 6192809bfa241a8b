import type { ApplicationConfig, ModulesContainer } from '@nestjs/core'

import { handlersOf, type Host } from './discovered.ts'
import { boundTo, FIELD, GUARDS, has, MESSAGE, PATTERN, ROUTE, tokensOf } from './nest-metadata.ts'
import type { Runtime } from './runtime.ts'
import { isLimiterToken, isOurs } from './tokens.ts'

/** What Nest makes, or is given, and what that has injected. */
interface Made {
  readonly metatype?: unknown
  /** Of factories. */
  readonly inject?: readonly unknown[] | undefined
}

/** Whether the global guards have one of ours: `APP_GUARD`, or `app.useGlobalGuards(…)` before the application starts. */
export function isGuardGlobal(config: ApplicationConfig): boolean {
  return (
    config.getGlobalGuards().some(isOrHoldsOurs) ||
    config.getGlobalRequestGuards().some(({ metatype }) => isOurs(metatype))
  )
}

/**
 * Warns of an HTTP application whose global `policy` can count nothing: our guard is neither global nor bound to a class or
 * handler, by itself or by `@RateLimit`, and no class has it or a limiter injected, to ask by itself.
 *
 * Not where there are message handlers: a microservice that is connected to the application has global guards of its own,
 * which nobody here can see.
 */
export function checkGuard(
  hosts: ReadonlySet<Host>,
  modules: ModulesContainer,
  config: ApplicationConfig,
  { limiter, planner }: Runtime,
): void {
  // Policies that decorators name come with a guard.
  if (planner.make(Object, undefined) === undefined || isGuardGlobal(config)) return
  const handlers = [...hosts].flatMap(host => handlersOf(host).map(([, handler]) => handler))
  if (!handlers.some(handler => [ROUTE, MESSAGE, FIELD].some(key => has(handler, key)))) return
  if (handlers.some(handler => has(handler, PATTERN))) return
  if ([...hosts, ...handlers].some(holder => boundTo(holder, GUARDS).some(isOrHoldsOurs))) return
  if (allOf(modules).some(isAsking)) return
  limiter.warn({
    code: 'HALT_W_NO_GUARD',
    message:
      'HaltModule has a policy for every call, but HaltGuard is registered nowhere: nothing is counted.',
    fix: 'Add { provide: APP_GUARD, useClass: HaltGuard } to the providers of the root module.',
  })
}

/** Whether a guard is one of ours, or was made around one. */
function isOrHoldsOurs(guard: unknown): boolean {
  return isOurs(guard) || (typeof guard === 'object' && guard !== null && Object.values(guard).some(isOurs))
}

/** Whether a class or a factory has our guard or a limiter injected. */
function isAsking({ metatype, inject }: Made): boolean {
  const tokens = [...(inject ?? []), ...(typeof metatype === 'function' ? tokensOf(metatype) : [])]
  return tokens.map(plain).some(token => isLimiterToken(token) || isOurs(token))
}

// `{ token, optional }` of a factory, and `forwardRef(() => token)`.
function plain(token: unknown): unknown {
  const { token: inner, forwardRef } = Object(token) as { token?: unknown; forwardRef?: () => unknown }
  return typeof forwardRef === 'function' ? forwardRef() : (inner ?? token)
}

function allOf(modules: ModulesContainer): readonly Made[] {
  return [...modules.values()].flatMap(({ providers, controllers, injectables, middlewares }) =>
    [providers, controllers, injectables, middlewares].flatMap(found => [...found.values()] as Made[]),
  )
}
