import { expressMount } from './express-mount.ts'
import { ALL_METHODS, type MatchedRoute, NO_ROUTE, routeMethod } from './matched-route.ts'

/** The properties of an Express request that describe its matched route. */
interface ExpressRouted {
  readonly method?: unknown
  /** `path` is a pattern, or a regular expression or a list, which Express accepts although its types do not say so. */
  readonly route?: { readonly path?: unknown; readonly stack?: unknown } | null | undefined
  readonly baseUrl?: unknown
  readonly app?: unknown
}

/** The properties in which frameworks give a request's matched route. */
interface Routed extends ExpressRouted {
  /** Fastify. The getter builds a new object on every read. */
  readonly routeOptions?:
    | { readonly url?: string | undefined; readonly method?: string | readonly string[] | undefined }
    | undefined
  readonly is404?: unknown
}

/**
 * The matched route of an Express or Fastify request: its pattern, with a method if the handler has several methods. Undefined
 * if the route is not known, as in middleware that runs before routing.
 */
export function matchedRoute(request: Routed): string | MatchedRoute | undefined {
  if (typeof request.route === 'object' && request.route !== null) return expressRoute(request)
  // `is404` is read first, because reading routeOptions builds an object.
  return request.is404 === true ? NO_ROUTE : fastifyRoute(request.routeOptions)
}

function fastifyRoute(options: Routed['routeOptions']): string | MatchedRoute | undefined {
  const url = options?.url
  const method = options?.method
  if (url === undefined || typeof method !== 'object') return url
  // For a list without HEAD, Fastify derives a HEAD route that does not know the list. HEAD counts as GET.
  const hasDerivedHead = method.includes('GET') && !method.includes('HEAD')
  return { pattern: url, method: hasDerivedHead ? 'GET' : routeMethod(method) }
}

/** A handler of a route. Without `method` it handles all methods. */
interface RouteHandler {
  readonly method?: string | undefined
  readonly handle?: unknown
}

const methods = new WeakMap<object, Map<string, string>>()

/** The route of an Express request: the patterns of its mounts, its own pattern, and the method that names its handler. */
function expressRoute(request: ExpressRouted): MatchedRoute {
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
