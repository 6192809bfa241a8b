const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])

/** A method as it may stand in names and labels: a client may invent others, which are all `"OTHER"`. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : 'OTHER'
}
