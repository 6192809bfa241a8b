import { expressMount } from './express-mount.ts'
import { type MatchedRoute, ALL_METHODS, routeMethod } from './matched-route.ts'

/** The properties of an Express request that describe its matched route. */
export interface ExpressRouted {
  readonly method?: unknown
  /** `path` is a pattern, or a regular expression or a list, which Express accepts although its types do not say so. */
  readonly route?: { readonly path?: unknown; readonly stack?: unknown } | null | undefined
  readonly baseUrl?: unknown
  readonly app?: unknown
}

/** A handler of a route. Without `method` it handles all methods. */
interface RouteHandler {
  readonly method?: string | undefined
  readonly handle?: unknown
}

const methods = new WeakMap<object, Map<string, string>>()

/** The route of an Express request: the patterns of its mounts, its own pattern, and the method that names its handler. */
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
  // The map has at most one entry per name of a method.
  if (name === undefined) known.set(method, (name = handlerMethod(route.stack, method)))
  return name
}

// `app.all` adds one handler per method; `route.all` adds one handler without a method.
function handlerMethod(stack: unknown, method: string): string {
  if (!Array.isArray(stack)) return method
  const handlers = stack as readonly RouteHandler[]
  const last = handlers.findLast(each => each.method === undefined || nameOf(each) === method)
  if (last === undefined) return method
  if (last.method === undefined) return ALL_METHODS
  const same = handlers.filter(({ handle }) => handle === last.handle)
  return routeMethod(same.map(each => each.method?.toUpperCase() ?? ALL_METHODS))
}

function nameOf({ method = '' }: RouteHandler): string {
  return routeMethod([method.toUpperCase()])
}
