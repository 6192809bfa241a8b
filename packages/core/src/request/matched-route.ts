import { routeMethod } from './method.ts'

/** A matched route whose handler answers several methods. */
export interface MatchedRoute {
  /** The route's pattern, such as `/users/:id`. */
  readonly pattern: string
  /** The one method that stands for all methods of the handler: `"ALL"`, or one of them. */
  readonly method: string
}

/** The route of all requests that matched no route. They share one counter. A pattern is never equal to it. */
export const NO_ROUTE = '404'

/**
 * The name of a request's route in the names of counters. A handler has one name, however clients spell its path. Undefined if
 * the route is not known.
 */
export function routeName(route: string | MatchedRoute | undefined, method: string): string | undefined {
  if (route === undefined || route === NO_ROUTE) return route
  const [pattern, verb] =
    typeof route === 'string' ? [route, routeMethod([method])] : [route.pattern, route.method]
  // A last slash does not make another route. Spaces are encoded, because stores join subject and counter with a space.
  const path = pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern
  return `${verb}:${path}`.replaceAll(' ', '%20')
}
