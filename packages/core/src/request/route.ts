/** What frameworks say of the route that a request matched. */
interface Routed {
  /** Express. A pattern, or (Express 4 and 5 take more than their types say) an expression or a list. */
  readonly route?: { readonly path?: unknown } | null | undefined
  readonly baseUrl?: unknown
  /** Fastify, which builds an object to answer. */
  readonly routeOptions?: { readonly url?: string | undefined } | undefined
  readonly is404?: unknown
}

// No route is written so: requests that match none share one counter, however their paths are spelled.
const NOT_FOUND = '404'
const MOUNTS = 8
const mounts = new WeakMap<object, Set<string>>()

/** The pattern of the route that an Express or a Fastify request matched; undefined where none is known, above routes. */
export function matchedRoute(request: Routed): string | undefined {
  const { route, baseUrl, is404 } = request
  if (typeof route === 'object' && route !== null) return mountOf(route, baseUrl) + String(route.path)
  // Not asked of a request that matched none: Fastify would have to build an answer.
  return is404 === true ? NOT_FOUND : request.routeOptions?.url
}

// Express tells where a router is mounted only as the client spelled it. A few spellings are a few mounts; more of them
// are values of a parameter in the mount's path, of which a client can invent as many as it wants counters.
function mountOf(route: object, baseUrl: unknown): string {
  if (typeof baseUrl !== 'string' || baseUrl === '') return ''
  const mount = baseUrl.toLowerCase()
  let known = mounts.get(route)
  if (known === undefined) mounts.set(route, (known = new Set()))
  if (known.has(mount)) return mount
  if (known.size === MOUNTS) return '*'
  known.add(mount)
  return mount
}
