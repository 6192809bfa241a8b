import type { Warn } from '@halt/core'

import type { Client } from './client.ts'
import type { Emitter } from './shapes.ts'
import { quietly, type Timer } from './timer.ts'

const POLL_MS = 250

/** The user's client, listened to: whether it ended, or lives again. Its behaviour stays as it is. */
export class Owner {
  readonly #client: Emitter & { readonly isOpen?: boolean }
  readonly #listeners: [string, (...args: unknown[]) => void][] = []
  #poll: Timer | undefined

  constructor(found: Client, warn: Warn) {
    this.#client = found.client
    if (found.kind.startsWith('redis') && this.#client.listenerCount('error') === 0) this.#survive(warn)
  }

  /** Calls back when the client is ended by the user, and when it is opened again. */
  watch(kind: Client['kind'], ended: () => void, revived: () => void): void {
    if (kind === 'redis-pool' || kind === 'redis-sentinel')
      this.#look(this.#client.isOpen === true, ended, revived)
    const isIoredis = kind.startsWith('ioredis')
    this.#listen(kind === 'redis-cluster' ? 'disconnect' : 'end', ended)
    this.#listen(isIoredis ? 'ready' : 'connect', revived)
  }

  /** Listens no more. */
  release(): void {
    this.#poll?.cancel()
    for (const [event, listener] of this.#listeners) this.#client.off(event, listener)
    this.#listeners.length = 0
  }

  // Without a listener the first lost connection of a node-redis client would end the process.
  #survive(warn: Warn): void {
    this.#listen('error', error =>
      warn({
        code: 'HALT_W_REDIS_ERROR_LISTENER',
        message: `Your Redis client has no error listener, and had an error: ${messageOf(error)}.`,
        fix: "Add one, client.on('error', …): without Halt's the process would have ended.",
      }),
    )
  }

  // node-redis pools, and Sentinel clients before 6, tell nobody that they were closed.
  #look(wasOpen: boolean, ended: () => void, revived: () => void): void {
    this.#poll = quietly(POLL_MS, () => {
      const isOpen = this.#client.isOpen === true
      this.#look(isOpen, ended, revived)
      if (wasOpen && !isOpen) ended()
      if (!wasOpen && isOpen) revived()
    })
  }

  #listen(event: string, listener: (...args: unknown[]) => void): void {
    this.#listeners.push([event, listener])
    this.#client.on(event, listener)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
