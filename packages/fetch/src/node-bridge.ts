import type { NodeResponse } from '@halt/core/http'

/** The part of Node's own request that is read here, of HTTP/1 or HTTP/2. */
export interface NodeRequest {
  readonly httpVersion?: string | undefined
  readonly socket?: { readonly remoteAddress?: unknown } | null
}

/** Where bridges from Node to Fetch put the objects of Node's server. */
interface Bridged {
  // @hono/node-server, in the second argument
  readonly incoming?: NodeRequest
  readonly outgoing?: NodeResponse
  // @whatwg-node/server, in the second argument; srvx, which h3 and Nitro use, in the request
  readonly req?: NodeRequest
  readonly res?: NodeResponse
}

/** Node's own request behind a Fetch request; undefined if the bridge does not pass it on. */
export function nodeRequestOf(request: Request, context: unknown): NodeRequest | undefined {
  const { incoming, req } = bridgedOf(request, context)
  const found = incoming ?? req
  // The event of h3 holds a Fetch request under the same name.
  return found?.socket === undefined ? undefined : found
}

/** Node's own response, whose events show when a request ends; undefined if the bridge does not pass it on. */
export function nodeResponseOf(request: Request, context: unknown): NodeResponse | undefined {
  const { outgoing, res } = bridgedOf(request, context)
  const found = outgoing ?? res
  return typeof found?.once === 'function' ? found : undefined
}

function bridgedOf(request: Request, context: unknown): Bridged {
  const { runtime } = request as { readonly runtime?: { readonly node?: Bridged } }
  return runtime?.node ?? (context as Bridged | undefined | null) ?? {}
}
