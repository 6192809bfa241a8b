/** The path of a request target, without scheme, host, query and fragment. It is not decoded. */
export function pathOf(url: string): string {
  if (url.startsWith('/')) return cut(url, 0)
  const scheme = url.indexOf('://')
  if (scheme < 0) return url === '*' || url === '' ? '/' : cut(url, 0)
  // The host ends at the first "/", "?" or "#", so the path of `http://x?y/health` is "/".
  const rest = cut(url, scheme + 3)
  const slash = rest.indexOf('/')
  if (slash < 0) return '/'
  // Frameworks disagree where a strange host ends, so its path is not believed. A path with "//" is never exempt.
  return /^[\w.:[\]-]*$/.test(rest.slice(0, slash)) ? rest.slice(slash) : `//${rest}`
}

function cut(url: string, from: number): string {
  const query = url.indexOf('?', from)
  const hash = url.indexOf('#', from)
  const end = query < 0 ? hash : hash < 0 ? query : Math.min(query, hash)
  return end < 0 ? (from === 0 ? url : url.slice(from)) : url.slice(from, end)
}
