import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy on 127.0.0.1 that does to answers what a network may: lose them, or bring them late. */
export interface Proxy {
  readonly port: number
  /** How many connections are open. */
  readonly open: number
  /** Loses all answers on the connections that are open, for good; new ones get theirs. */
  mute(): void
  /** Closes the connections that are open. */
  cut(): void
  /** Brings each answer late by what `wait` gives, milliseconds, in order. */
  delay(wait: () => number): void
  stop(): void
}

/** Starts a proxy before a server of this machine. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let wait = (): number => 0
  const server = createServer(near => {
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
    cut() {
      for (const { near } of pairs) near.destroy()
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
  /** When its last answer is due. */
  last: number
}
