import type { DiscoveryService } from '@nestjs/core'

import { handlersOf, handlerClassesOf } from '../base/discovery.ts'
import { RouteGuard } from '../guard/guard.ts'
import { HaltInterceptor } from '../guard/interceptor.ts'
import { boundTo, CONTROLLER, GUARDS, has, INTERCEPTORS, PATTERN, ROUTE } from '../base/nest-metadata.ts'

/**
 * Puts what `@RateLimit` binds where it belongs, before Nest looks: its guard behind the others of a class or handler,
 * which may say who the user is; its interceptor away from HTTP routes, which need none and would pay for it.
 *
 * What it does depends on the classes alone, and doing it twice changes nothing: other applications may use them too.
 */
export function orderEnhancers(discovery: DiscoveryService): void {
  for (const type of handlerClassesOf(discovery)) {
    const handlers = handlersOf(type).map(([, handler]) => handler)
    for (const holder of [type, ...handlers]) moveToEnd(holder)
    for (const handler of handlers) if (isRoute(handler)) dropInterceptor(handler)
    if (has(type, CONTROLLER) && !handlers.some(handler => has(handler, PATTERN))) dropInterceptor(type)
  }
}

function moveToEnd(holder: object): void {
  const guards = boundTo(holder, GUARDS)
  if (!guards.includes(RouteGuard) || guards.at(-1) === RouteGuard) return
  Reflect.defineMetadata(GUARDS, [...guards.filter(guard => guard !== RouteGuard), RouteGuard], holder)
}

function dropInterceptor(holder: object): void {
  const interceptors = boundTo(holder, INTERCEPTORS)
  if (!interceptors.includes(HaltInterceptor)) return
  const kept = interceptors.filter(interceptor => interceptor !== HaltInterceptor)
  Reflect.defineMetadata(INTERCEPTORS, kept, holder)
}

function isRoute(handler: object): boolean {
  return has(handler, ROUTE) && !has(handler, PATTERN)
}
