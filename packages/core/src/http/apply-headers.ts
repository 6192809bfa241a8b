import type { Headers, HeaderSink } from './dialects.ts'
import type { Outcome } from './outcome.ts'

/**
 * How an adapter reads and writes the headers of its responses: one constant object per adapter, so that a request makes no object.
 *
 * The names of Halt's own headers come in lower case, as Node and Fastify keep them.
 */
export interface HeaderPort<T> extends HeaderSink<T> {
  get(target: T, name: string): string | undefined
  remove(target: T, name: string): void
}

/** Sets the headers of an outcome. On a CORS response it also exposes them to scripts. */
export function tellHeaders<T>(outcome: Outcome, target: T, port: HeaderPort<T>): void {
  if (!outcome.binding) return
  const { stale } = outcome
  if (stale !== undefined) for (const name of stale) port.remove(target, name)
  outcome.tell(target, port)
  if (port.get(target, 'access-control-allow-origin') !== undefined)
    expose(Object.keys(outcome.headers), target, port)
}

/** Sets headers, as {@link tellHeaders} does for an outcome. */
export function applyHeaders<T>(headers: Headers, target: T, port: HeaderPort<T>): void {
  const names = Object.keys(headers)
  for (const name of names) port.set(target, name, headers[name] as string)
  if (port.get(target, 'access-control-allow-origin') !== undefined) expose(names, target, port)
}

function expose<T>(names: readonly string[], target: T, port: HeaderPort<T>): void {
  const exposed = port.get(target, 'Access-Control-Expose-Headers')
  const listed = new Set((exposed ?? '').split(',').map(name => name.trim().toLowerCase()))
  // With credentials, browsers read the star as a header name.
  if (listed.has('*') && port.get(target, 'Access-Control-Allow-Credentials') !== 'true') return
  const missing = names.filter(name => name !== 'Cache-Control' && !listed.has(name.toLowerCase()))
  if (missing.length === 0) return
  const all = [...(exposed ? [exposed] : []), ...missing].join(', ')
  port.set(target, 'Access-Control-Expose-Headers', all)
}
