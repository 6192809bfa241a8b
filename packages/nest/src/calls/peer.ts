import type { IncomingMessage, Server } from 'node:http'

import { hasDeparted, type HeaderBag } from '@halt/core/http'

/** The peer of a socket, as it was when it connected. A closed socket no longer knows its peer. */
export interface Peer {
  readonly ip: string | undefined
  /** Whether it had reset the connection before anybody read its address. */
  readonly departed: boolean
  readonly headers: HeaderBag
  readonly httpVersion?: string | undefined
  readonly url: string
}

const PEER = Symbol.for('halt.nest.peer')

/** The noted peer of a socket. */
export function peerOf(socket: object): Peer | undefined {
  return (socket as { [PEER]?: Peer })[PEER]
}

/** Notes the peer of a socket. */
export function notePeer(socket: object, peer: Peer): Peer {
  Reflect.defineProperty(socket, PEER, { value: peer, enumerable: false, configurable: true })
  return peer
}

/**
 * Notes the peers of a server's WebSockets from their upgrade requests. `ws` drops these requests, and with them the headers
 * in which a trusted proxy names the client.
 */
export function rememberUpgrades(server: Server | undefined): void {
  // If ours were the only listener, upgrade requests would stay unanswered.
  if (server === undefined || server.listenerCount('upgrade') === 0) return
  server.prependListener('upgrade', ({ headers, httpVersion, url = '/' }: IncomingMessage, socket) => {
    const { remoteAddress: ip } = socket as { remoteAddress?: string }
    notePeer(socket, { ip, departed: hasDeparted({ socket }), headers, httpVersion, url })
  })
}
