import type { Headers } from './dialects.ts'

/** A response whose headers are not sent yet. */
export interface HeaderTarget {
  get(name: string): string | undefined
  set(name: string, value: string): void
  remove(name: string): void
}

/**
 * Sets headers. On a CORS response it also exposes them to scripts.
 *
 * @param stale headers of earlier, looser guards, which are removed
 */
export function applyHeaders(headers: Headers, target: HeaderTarget, stale?: readonly string[]): void {
  if (stale !== undefined) for (const name of stale) target.remove(name)
  const names = Object.keys(headers)
  if (names.length === 0) return
  for (const name of names) target.set(name, headers[name] as string)
  if (target.get('Access-Control-Allow-Origin') === undefined) return
  const exposed = target.get('Access-Control-Expose-Headers')
  const listed = new Set((exposed ?? '').split(',').map(name => name.trim().toLowerCase()))
  // With credentials, browsers read the star as a header name.
  if (listed.has('*') && target.get('Access-Control-Allow-Credentials') !== 'true') return
  const missing = names.filter(name => name !== 'Cache-Control' && !listed.has(name.toLowerCase()))
  if (missing.length === 0) return
  target.set('Access-Control-Expose-Headers', [...(exposed ? [exposed] : []), ...missing].join(', '))
}
