import type { IncomingMessage, Server } from 'node:http'

import type { HeaderBag } from '@halt/core/http'

/** Who is at the other end of a socket, as it was when it connected: a closed socket no longer tells. */
export interface Peer {
  readonly ip: string | undefined
  readonly headers: HeaderBag
  readonly httpVersion?: string | undefined
  readonly url: string
}

const PEER = Symbol.for('halt.nest.peer')

/** What is remembered of a socket. */
export function peerOf(socket: object): Peer | undefined {
  return (socket as { [PEER]?: Peer })[PEER]
}

/** Remembers who is at the other end of a socket. */
export function notePeer(socket: object, peer: Peer): Peer {
  Reflect.defineProperty(socket, PEER, { value: peer, enumerable: false, configurable: true })
  return peer
}

/**
 * Remembers the upgrade requests of a server's WebSockets: `ws` drops them, and with them the headers in which a trusted
 * proxy names the client.
 */
export function rememberUpgrades(server: Server | undefined): void {
  // Alone, a listener would leave upgrade requests unanswered.
  if (server === undefined || server.listenerCount('upgrade') === 0) return
  server.prependListener('upgrade', ({ headers, httpVersion, url = '/' }: IncomingMessage, socket) => {
    const { remoteAddress: ip } = socket as { remoteAddress?: string }
    notePeer(socket, { ip, headers, httpVersion, url })
  })
}
