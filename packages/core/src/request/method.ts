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
export function verbOf(method: string): string {
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
