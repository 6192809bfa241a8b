import type { Server } from 'node:http'

import { MemorySocket } from './memory-socket.ts'

/** The number of connections, each from a loopback address of its own, as in the part `http`. */
export const CONNECTIONS = 64

/** Sends requests to a server of this process over keep-alive connections in memory, through Node's own parser. */
export class Client {
  readonly #sockets: readonly MemorySocket[]
  readonly #next: () => Buffer
  #left = 0
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  /** @param next returns the bytes of the next request */
  constructor(server: Server, next: () => Buffer) {
    this.#next = next
    const onAnswer = (failure: string | undefined): void => {
      if (failure !== undefined) this.#reject(new Error(`The app answered:\n${failure}`))
      else if (--this.#left === 0) this.#resolve()
    }
    this.#sockets = Array.from(
      { length: CONNECTIONS },
      (_, i) => new MemorySocket(`127.0.0.${i + 1}`, onAnswer),
    )
    for (const socket of this.#sockets) server.emit('connection', socket)
  }

  /** Sends one request on each connection. Resolves when all are answered. */
  round(): Promise<void> {
    this.#left = CONNECTIONS
    // Each request is a task of its own, as when Node reads sockets: ticks and microtasks run between two of them.
    for (const socket of this.#sockets) setImmediate(this.#send, socket)
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  readonly #send = (socket: MemorySocket): void => void socket.push(this.#next())
}
