import { HaltError, describe } from '@halt/core/http'

/** The event that some frameworks give a handler instead of a request: SvelteKit, React Router and Astro; h3 and Nitro. */
export type FetchEvent = { readonly request: Request } | { readonly req: Request }

/** The request of a handler's call, and the rest that the framework told. */
export interface FetchCall {
  readonly request: Request
  /** The second argument, or the event that holds the request. */
  readonly context: unknown
}

/**
 * Reads the arguments of a handler.
 *
 * @throws HaltError `HALT_E_OPTION` for arguments without a `Request`
 */
export function readArguments(first: unknown, second?: unknown): FetchCall {
  if (isRequest(first)) return { request: first, context: second }
  const event = (first ?? {}) as { request?: unknown; req?: unknown }
  const request = isRequest(event.request) ? event.request : event.req
  if (isRequest(request)) return { request, context: first }
  throw new HaltError(
    'HALT_E_OPTION',
    `A handler got ${describe(first)}, which is not a Request of the Fetch API, nor an event that holds one.`,
    'Wrap handlers that get a Request. For Node’s own requests use @halt/express or @halt/core.',
  )
}

// Not `instanceof`, because frameworks have classes and proxies of their own.
function isRequest(value: unknown): value is Request {
  const { headers, method, url } = (value ?? {}) as Partial<Request>
  return typeof url === 'string' && typeof method === 'string' && typeof headers?.get === 'function'
}
