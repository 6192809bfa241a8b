import { expressRoute, type ExpressRouted } from './express-route.ts'
import { type MatchedRoute, NO_ROUTE, routeMethod } from './matched-route.ts'

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
