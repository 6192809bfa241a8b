interface NodeRequest {
  readonly socket?: Closable | null
  /** The stream of an HTTP/2 request. */
  readonly stream?: Closable | null
  /** Node's own request, in Fastify. */
  readonly raw?: NodeRequest
  /** Where Hono has Node's own request. */
  readonly env?: { readonly incoming?: NodeRequest } | null
}

interface Closable {
  readonly destroyed?: unknown
  readonly remoteAddress?: unknown
  readonly localAddress?: unknown
}

/**
 * Whether the client of a request closed or reset the connection already. Node then no longer knows its address, unless somebody
 * read it before. Always false outside Node, and for requests made by hand.
 */
export function hasDeparted(request: unknown): boolean {
  if (typeof request !== 'object' || request === null) return false
  const own = request as NodeRequest
  const { socket, stream } = own.raw ?? own.env?.incoming ?? own
  // A destroyed HTTP/2 stream has no socket.
  const connection = socket ?? stream
  if (connection === undefined || connection === null) return false
  const { destroyed, remoteAddress, localAddress } = connection
  // Node may hand over the request of a connection that the client has reset before it notices the reset. Such a socket has an
  // address of its own and no peer. A Unix socket has neither.
  return destroyed === true || (remoteAddress === undefined && localAddress !== undefined)
}
