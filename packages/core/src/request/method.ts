const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])
// A handler of all of these is meant for all methods; frameworks and versions of Node disagree about the others.
const COMMON = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Names a handler of all methods. */
export const ALL_METHODS = 'ALL'

/** A method as it may stand in names and labels: a client may invent others, which are all `"OTHER"`. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : 'OTHER'
}

/**
 * The one method that names the counter of a handler, whichever of its methods a request has: `ALL` where it answers all,
 * else `GET` where it answers that, else the first by name. HEAD asks what GET would say.
 */
export function routeMethod(methods: readonly string[]): string {
  if (COMMON.every(method => methods.includes(method))) return ALL_METHODS
  const names = methods.map(method => (method === 'HEAD' ? 'GET' : methodName(method)))
  return names.includes('GET') ? 'GET' : (names.sort()[0] as string)
}
