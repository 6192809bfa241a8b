import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A faulty network: a TCP proxy on 127.0.0.1 that can lose answers or delay them. */
export interface Proxy {
  readonly port: number
  /** The number of open connections. */
  readonly open: number
  /** Drops all further answers on the connections that are open. New connections are not affected. */
  mute(): void
  /** Closes the connections that are open. */
  cut(): void
  /** Closes all connections, and new ones at once, until `false` is given. */
  refuse(refused: boolean): void
  /** Delays each answer by the result of `wait`, in milliseconds, and keeps the order. */
  delay(wait: () => number): void
  stop(): void
}

/** Starts a proxy in front of a server on this machine. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let wait = (): number => 0
  let isRefused = false
  const cut = (): void => {
    for (const { near } of pairs) near.destroy()
  }
  const server = createServer(near => {
    if (isRefused) return void near.destroy()
    const far = connect(target, '127.0.0.1')
    const pair: Pair = { near, far, muted: false, last: 0 }
    pairs.add(pair)
    near.on('data', data => far.write(data))
    far.on('data', data => {
      if (pair.muted) return
      pair.last = Math.max(pair.last, performance.now() + wait())
      const late = pair.last - performance.now()
      if (late <= 0) near.write(data)
      else setTimeout(() => near.write(data), late)
    })
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const side of [near, far]) side.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size
    },
    mute() {
      for (const pair of pairs) pair.muted = true
    },
    cut,
    refuse(refused) {
      isRefused = refused
      if (refused) cut()
    },
    delay(next) {
      wait = next
    },
    stop() {
      for (const { near, far } of pairs) for (const side of [near, far]) side.destroy()
      server.close()
    },
  }
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  muted: boolean
  /** The time at which its last answer is due. */
  last: number
}
