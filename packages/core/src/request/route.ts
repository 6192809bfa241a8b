import { BoundedMap } from '../base/bounded-memory.ts'
import { expressMount } from './express-mount.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])
// A handler of these counts as a handler of all methods. Frameworks and versions of Node differ in the other methods.
const COMMON = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The method name of a handler of all methods. */
export const ALL_METHODS = 'ALL'

/** A method's name for counters and labels. A client may invent methods, so every unknown one becomes `"OTHER"`. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : 'OTHER'
}

/** The method of a request as {@link routeMethod} gives it for a handler of that method alone. */
function verbOf(method: string): string {
  return method === 'HEAD' ? 'GET' : methodName(method)
}

/**
 * The method that names a handler's counter, the same for every method of the handler: `ALL` if it handles all methods, else
 * `GET` if it handles GET, else the first in alphabetical order. HEAD counts as GET.
 */
function routeMethod(methods: readonly string[]): string {
  if (COMMON.every(method => methods.includes(method))) return ALL_METHODS
  const names = methods.map(verbOf)
  return names.includes('GET') ? 'GET' : (names.sort()[0] as string)
}

/** A matched route whose handler answers several methods. */
export interface MatchedRoute {
  /** The route's pattern, such as `/users/:id`. */
  readonly pattern: string
  /** The one method that stands for all methods of the handler: `"ALL"`, or one of them. */
  readonly method: string
}

/** The route of all requests that matched no route. They share one counter. A pattern is never equal to it. */
export const NO_ROUTE = '404'

// A service has only the routes that its authors wrote. Views with invented routes or methods must not fill the memory.
const MAX_PATTERNS = 1000
const LONGEST_PATTERN = 256
const MAX_VERBS = 16

// The names by pattern and then by verb, so that a request makes no text, and V8 knows the hash of its name.
const known = new BoundedMap<Map<string, string>>(MAX_PATTERNS)

/**
 * The name of a request's route in the names of counters. A handler has one name, however clients spell its path. Undefined if
 * the route is not known.
 */
export function routeName(route: string | MatchedRoute | undefined, method: string): string | undefined {
  if (route === undefined || route === NO_ROUTE) return route
  return typeof route === 'string' ? nameOf(route, verbOf(method)) : nameOf(route.pattern, route.method)
}

function nameOf(pattern: string, verb: string): string {
  let names = known.get(pattern)
  const found = names?.get(verb)
  if (found !== undefined) return found
  const name = makeName(pattern, verb)
  if (pattern.length > LONGEST_PATTERN) return name
  if (names === undefined) known.set(pattern, (names = new Map()))
  if (names.size < MAX_VERBS) names.set(verb, name)
  return name
}

function makeName(pattern: string, verb: string): string {
  // A last slash does not make another route. Spaces are encoded, because stores join subject and counter with a space.
  const path = pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern
  return `${verb}:${path}`.replaceAll(' ', '%20')
}

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
  const last = handlers.findLast(each => each.method === undefined || verbIn(each) === method)
  if (last === undefined) return method
  if (last.method === undefined) return ALL_METHODS
  const same = handlers.filter(({ handle }) => handle === last.handle)
  return routeMethod(same.map(each => each.method?.toUpperCase() ?? ALL_METHODS))
}

function verbIn({ method = '' }: RouteHandler): string {
  return routeMethod([method.toUpperCase()])
}
