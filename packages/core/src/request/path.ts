const LONGEST = 200

/**
 * The one spelling of a path that routers are likely to take for the same place: decoded once, in lower case, without
 * dot segments, doubled or trailing slashes and path parameters. Stricter than most routers: what it takes for one
 * place is counted as one. Long paths are cut.
 */
export function normalizePath(path: string): string {
  const parts: string[] = []
  for (const part of decode(path)
    .toLowerCase()
    .split(/[/\\]+/)) {
    const [name = ''] = part.split(';')
    if (name === '..') parts.pop()
    else if (name !== '' && name !== '.') parts.push(name)
  }
  return encodeURI(`/${parts.join('/')}`.toWellFormed()).slice(0, LONGEST)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
