import { type HeaderBag, pathOf } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'
import { type Peer, peerOf, notePeer } from './peer.ts'

/** What the platforms' sockets have: socket.io's, and `ws`'. */
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

/** A message on a WebSocket: each is its own charge. */
export function wsCall(context: ExecutionContext): Call {
  const client = context.getArgByIndex<Client>(0)
  const { ip, headers, httpVersion, url } = peerOf(client) ?? notePeer(client, readPeer(client))
  const view = {
    method: 'MESSAGE',
    path: pathOf(url),
    route: handlerName(context),
    ip,
    headers,
    httpVersion,
    request: client,
    context,
  }
  return { view: { ...view, user: client.user ?? client.data?.user } }
}

// The address of the socket's peer, never one that a header names: whether such a header counts is the limiter's business.
function readPeer({ handshake, request, _socket }: Client): Peer {
  const upgrade = _socket && peerOf(_socket)
  if (upgrade !== undefined) return upgrade
  const { headers = {}, url = '/' } = handshake ?? request ?? {}
  const ip = handshake?.address ?? request?.socket?.remoteAddress ?? _socket?.remoteAddress
  // A handshake over long polling may speak HTTP/1.0.
  return { ip, headers, httpVersion: request?.httpVersion, url }
}
