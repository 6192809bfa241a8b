import type { Server } from 'node:http'

import { nextOf, type Order, requestsOf } from '../request.ts'
import { MemorySocket } from './memory-socket.ts'

/** The number of connections, each from a loopback address of its own, as in the part `http`. */
export const CONNECTIONS = 64

/** Sends requests to a server of this process over keep-alive connections in memory, through Node's own parser. */
export class Client {
  readonly #sockets: readonly MemorySocket[]
  readonly #next: Readonly<Record<Order, () => Buffer>>
  #left = 0
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  /**
   * @param clients the number of clients that requests name by a header; undefined if they name none
   * @param mayRefuse whether the server refuses requests
   */
  constructor(server: Server, clients: number | undefined, mayRefuse = false) {
    const requests = requestsOf(clients)
    this.#next = { 'in turn': nextOf(requests, 'in turn'), 'at random': nextOf(requests, 'at random') }
    const onAnswer = (failure: string | undefined): void => {
      if (failure !== undefined) this.#reject(new Error(`The app answered:\n${failure}`))
      else if (--this.#left === 0) this.#resolve()
    }
    this.#sockets = Array.from(
      { length: CONNECTIONS },
      (_, i) => new MemorySocket(`127.0.0.${i + 1}`, mayRefuse, onAnswer),
    )
    for (const socket of this.#sockets) server.emit('connection', socket)
  }

  /** Sends one request on each connection. Resolves when all are answered. */
  round(order: Order = 'at random'): Promise<void> {
    this.#left = CONNECTIONS
    // Each request is a task of its own, as when Node reads sockets: ticks and microtasks run between two of them.
    for (const socket of this.#sockets) setImmediate(send, socket, this.#next[order])
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }
}

function send(socket: MemorySocket, next: () => Buffer): void {
  socket.push(next())
}
