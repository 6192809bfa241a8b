import { hasDeparted, type HeaderBag, pathOf } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'
import { type Peer, peerOf, notePeer } from './peer.ts'

/** The parts of a socket that Halt reads, of socket.io and of `ws`. */
interface Client {
  readonly handshake?: { readonly address?: string; readonly headers?: HeaderBag; readonly url?: string }
  readonly request?: {
    readonly socket?: { readonly remoteAddress?: string }
    readonly headers?: HeaderBag
    readonly httpVersion?: string
    readonly url?: string
  }
  readonly _socket?: { readonly remoteAddress?: string }
  readonly user?: unknown
  readonly data?: { readonly user?: unknown }
}

/** Reads a message on a WebSocket. Each message is charged separately. */
export function wsCall(context: ExecutionContext): Call {
  const client = context.getArgByIndex<Client>(0)
  const { ip, departed, headers, httpVersion, url } = peerOf(client) ?? notePeer(client, readPeer(client))
  const view = {
    method: 'MESSAGE',
    path: pathOf(url),
    route: handlerName(context),
    ip,
    departed,
    headers,
    httpVersion,
    request: client,
    context,
  }
  return { view: { ...view, user: client.user ?? client.data?.user } }
}

// Reads the address of the socket's peer, not one from a header, because the limiter decides whether to trust a header.
function readPeer({ handshake, request, _socket }: Client): Peer {
  const upgrade = _socket && peerOf(_socket)
  if (upgrade !== undefined) return upgrade
  const { headers = {}, url = '/' } = handshake ?? request ?? {}
  const ip = handshake?.address ?? request?.socket?.remoteAddress ?? _socket?.remoteAddress
  // The handshake of a long-polling client may use HTTP/1.0.
  const departed = hasDeparted(request ?? { socket: _socket })
  return { ip, departed, headers, httpVersion: request?.httpVersion, url }
}
