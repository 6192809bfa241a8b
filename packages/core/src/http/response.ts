import type { Headers } from './headers.ts'

/** A response whose headers are not sent yet. */
export interface HeaderTarget {
  get(name: string): string | undefined
  set(name: string, value: string): void
}

/** Sets headers; where CORS is on, browsers are told that scripts may read them. */
export function applyHeaders(headers: Headers, target: HeaderTarget): void {
  const names = Object.keys(headers)
  if (names.length === 0) return
  for (const name of names) target.set(name, headers[name] as string)
  if (target.get('Access-Control-Allow-Origin') === undefined) return
  const exposed = target.get('Access-Control-Expose-Headers')
  const listed = new Set((exposed ?? '').split(',').map(name => name.trim().toLowerCase()))
  if (listed.has('*')) return
  const missing = names.filter(name => name !== 'Cache-Control' && !listed.has(name.toLowerCase()))
  if (missing.length === 0) return
  target.set('Access-Control-Expose-Headers', [...(exposed ? [exposed] : []), ...missing].join(', '))
}
