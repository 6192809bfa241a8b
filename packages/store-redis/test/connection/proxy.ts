import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

import type { Scene } from './scene.ts'

/** A TCP proxy on 127.0.0.1 that can lose answers without closing anything, as a network does. */
export interface Proxy {
  readonly port: number
  /** Loses all answers on the connections that are open. */
  mute(): void
  /** How many connections are open. */
  readonly open: number
}

export async function startProxy(scene: Scene, target: number): Promise<Proxy> {
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer(near => {
    const far = connect(target, '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.on('data', data => far.write(data))
    far.on('data', data => near.write(data))
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const side of pair) side.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scene.defer(() => {
    for (const pair of pairs) for (const side of pair) side.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    mute: () => {
      for (const [, far] of pairs) far.removeAllListeners('data').on('data', () => {})
    },
    get open() {
      return pairs.size
    },
  }
}
