import { expressRoute, type ExpressRouted } from './express-route.ts'
import { type MatchedRoute, NO_ROUTE } from './matched-route.ts'
import { routeMethod } from './method.ts'

/** What frameworks tell of the route that a request matched. */
interface Routed extends ExpressRouted {
  /** Fastify, which builds an object to answer. */
  readonly routeOptions?:
    | { readonly url?: string | undefined; readonly method?: string | readonly string[] | undefined }
    | undefined
  readonly is404?: unknown
}

/**
 * The route that an Express or a Fastify request matched: its pattern, with the method where its handler answers several.
 * Undefined where no route is known, as in middleware that runs before routing.
 */
export function matchedRoute(request: Routed): string | MatchedRoute | undefined {
  if (typeof request.route === 'object' && request.route !== null) return expressRoute(request)
  // Fastify would build routeOptions for nothing.
  return request.is404 === true ? NO_ROUTE : fastifyRoute(request.routeOptions)
}

function fastifyRoute(options: Routed['routeOptions']): string | MatchedRoute | undefined {
  const url = options?.url
  const method = options?.method
  return url !== undefined && typeof method === 'object' ? { pattern: url, method: routeMethod(method) } : url
}
