import { applyHeaders, type HeaderPort } from './apply-headers.ts'
import type { Headers } from './dialects.ts'

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
