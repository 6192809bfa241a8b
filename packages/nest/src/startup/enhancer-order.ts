import type { DiscoveryService } from '@nestjs/core'

import { handlersOf, handlerClassesOf } from '../base/discovery.ts'
import { RouteGuard } from '../guard/guard.ts'
import { HaltInterceptor } from '../guard/interceptor.ts'
import { boundTo, CONTROLLER, GUARDS, has, INTERCEPTORS, PATTERN, ROUTE } from '../base/nest-metadata.ts'

/**
 * Orders the enhancers that `@RateLimit` binds, before Nest reads them. Its guard goes behind the other guards of a class or
 * handler, because one of them may find the user. Its interceptor is removed from HTTP routes, which do not need it.
 *
 * The result depends only on the classes, and a second run changes nothing, because other applications may use the same
 * classes.
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
