import { expressMount } from './express-mount.ts'
import type { MatchedRoute } from './matched-route.ts'
import { ALL_METHODS, routeMethod } from './method.ts'

/** What Express tells of the route that a request matched. */
export interface ExpressRouted {
  readonly method?: unknown
  /** A pattern, or (Express 4 and 5 take more than their types say) an expression or a list. */
  readonly route?: { readonly path?: unknown; readonly stack?: unknown } | null | undefined
  readonly baseUrl?: unknown
  readonly app?: unknown
}

/** A handler of a route, for one method; for all where there is none. */
interface Step {
  readonly method?: string | undefined
  readonly handle?: unknown
}

const methods = new WeakMap<object, Map<string, string>>()

/** The route of an Express request: the patterns of its mounts and its own, and the method that names its handler. */
export function expressRoute(request: ExpressRouted): MatchedRoute {
  const route = request.route as object & NonNullable<ExpressRouted['route']>
  return {
    pattern: expressMount(request.app, request.baseUrl, route) + String(route.path),
    method: methodOf(route, request.method),
  }
}

function methodOf(route: object & { readonly stack?: unknown }, given: unknown): string {
  const method = typeof given === 'string' ? routeMethod([given]) : 'GET'
  let known = methods.get(route)
  if (known === undefined) methods.set(route, (known = new Map()))
  let name = known.get(method)
  // At most one entry for each name that a method can have.
  if (name === undefined) known.set(method, (name = handlerMethod(route.stack, method)))
  return name
}

// `app.all` declares one handler for each method, `route.all` one without a method.
function handlerMethod(stack: unknown, method: string): string {
  if (!Array.isArray(stack)) return method
  const steps = stack as readonly Step[]
  const last = steps.findLast(step => step.method === undefined || nameOf(step) === method)
  if (last === undefined) return method
  if (last.method === undefined) return ALL_METHODS
  const same = steps.filter(({ handle }) => handle === last.handle)
  return routeMethod(same.map(step => step.method?.toUpperCase() ?? ALL_METHODS))
}

function nameOf({ method = '' }: Step): string {
  return routeMethod([method.toUpperCase()])
}
