import { routeMethod } from './method.ts'

/** A matched route whose handler answers several methods. */
export interface MatchedRoute {
  /** `/users/:id`. */
  readonly pattern: string
  /** The method that stands for all that the handler answers: `"ALL"`, or one of them. */
  readonly method: string
}

/** The route of a request that matched none. No pattern is written so; one counter, whatever was asked for. */
export const NO_ROUTE = '404'

/**
 * The name of a request's route among the counters of a policy: one for one handler, however the request is spelled.
 * Undefined where no route is known.
 */
export function routeName(route: string | MatchedRoute | undefined, method: string): string | undefined {
  if (route === undefined || route === NO_ROUTE) return route
  const [pattern, verb] =
    typeof route === 'string' ? [route, routeMethod([method])] : [route.pattern, route.method]
  // A last slash is no other place. No spaces: stores join subject and cell by one.
  const place = pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern
  return `${verb}:${place}`.replaceAll(' ', '%20')
}
