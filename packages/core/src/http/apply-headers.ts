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

/**
 * Gives a Fetch response the headers that it lacks, and exposes them to browsers if CORS is on. Returns the response itself if
 * it needs none, else a copy, because the app may keep the response and send it to the next client.
 *
 * @param context the headers that middleware has set before. They win over the headers of the response, so they are completed too.
 */
export function addHeaders(
  response: Response,
  headers: Headers,
  context?: () => Response['headers'],
): Response {
  const names = Object.keys(headers)
  const [first] = names
  if (first === undefined) return response
  const own = response.headers
  // The headers are set together, so checking the first is enough; a look-up each would cost as much as the check.
  const hasHeaders = context === undefined && own.get(first) === headers[first]
  const lacks = !hasHeaders && names.some(name => !own.has(name))
  if (!lacks && !own.has('Access-Control-Allow-Origin')) return response
  const itself = (): Response => response
  const copy = (): Response => new Response(response.body, response)
  // The headers of a response of fetch() cannot be changed. Only a 101 cannot be copied, and is changed itself.
  for (const candidate of lacks ? [copy, itself] : [itself, copy]) {
    try {
      return fill(candidate(), headers, context?.())
    } catch {}
  }
  return response
}

function fill(response: Response, headers: Headers, context: Response['headers'] | undefined): Response {
  applyHeaders(headers, { own: response.headers, context, halts: headers }, OF_LAYERS)
  return response
}

/** The headers of a response, of the middleware before it, and of Halt. */
interface Layers {
  readonly own: Response['headers']
  readonly context: Response['headers'] | undefined
  readonly halts: Headers
}

const OF_LAYERS: HeaderPort<Layers> = {
  get: ({ own, context }, name) => own.get(name) ?? context?.get(name) ?? undefined,
  set({ own, context, halts }, name, value) {
    const stays = Object.hasOwn(halts, name) ? own.get(name) : null
    if (stays === null) own.set(name, value)
    context?.set(name, stays ?? value)
  },
  remove: ({ own }, name) => own.delete(name),
}
