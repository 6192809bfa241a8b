import { BoundedMap } from '../base/bounded-memory.ts'

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
export function routeMethod(methods: readonly string[]): string {
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
