import type { Warn } from '@halt/core'

import type { Client } from './client.ts'
import type { Emitter } from './client-interfaces.ts'
import { unrefTimeout, type Timer } from './timer.ts'

const POLL_MS = 250

/** Who wants to know what becomes of a user's client. */
export interface ClientListener {
  /** The user ended the client. */
  readonly ended: () => void
  /** The user opened it again. */
  readonly revived: () => void
  readonly warn: Warn
}

/** Watches a user's client, whose behaviour stays as it is; returns what ends the watch. */
export function watchClient(found: Client, listener: ClientListener): () => void {
  let watcher = watchers.get(found.client)
  if (watcher === undefined) watchers.set(found.client, (watcher = new ClientWatcher(found)))
  watcher.add(listener)
  return () => watcher.remove(listener)
}

// One for all stores of a client: Node warns of an emitter with more than ten listeners of a kind.
const watchers = new WeakMap<object, ClientWatcher>()

class ClientWatcher {
  readonly #client: Emitter & { readonly isOpen?: boolean; readonly retryAttempts?: number }
  readonly #kind: Client['kind']
  readonly #clientListeners = new Set<ClientListener>()
  readonly #eventListeners = new Map<string, (...args: unknown[]) => void>()
  #poll: Timer | undefined

  constructor({ client, kind }: Client) {
    this.#client = client
    this.#kind = kind
  }

  add(listener: ClientListener): void {
    if (this.#clientListeners.size === 0) this.#start()
    this.#clientListeners.add(listener)
    // Without a listener the first lost connection of a node-redis client would end the process.
    if (this.#kind.startsWith('redis') && this.#client.listenerCount('error') === 0) {
      this.#listen('error', error => this.#survived(error))
    }
  }

  remove(listener: ClientListener): void {
    if (!this.#clientListeners.delete(listener) || this.#clientListeners.size > 0) return
    this.#poll?.cancel()
    for (const [event, listener] of this.#eventListeners) this.#client.off(event, listener)
    this.#eventListeners.clear()
  }

  #start(): void {
    const [ended, revived] = EVENTS[this.#kind]
    this.#listen(ended, () => {
      // To ioredis it is an end, too, when its retryStrategy gives up: that is not the user's, and ours goes on.
      if (!this.#client.retryAttempts) this.#tell('ended')
    })
    this.#listen(revived, () => this.#tell('revived'))
    // Of these, some versions tell nobody that they were closed.
    if (this.#kind === 'redis-pool' || this.#kind === 'redis-sentinel')
      this.#pollOpen(this.#client.isOpen === true)
  }

  #pollOpen(wasOpen: boolean): void {
    this.#poll = unrefTimeout(POLL_MS, () => {
      const isOpen = this.#client.isOpen === true
      this.#pollOpen(isOpen)
      if (wasOpen !== isOpen) this.#tell(isOpen ? 'revived' : 'ended')
    })
  }

  #listen(event: string, listener: (...args: unknown[]) => void): void {
    this.#eventListeners.set(event, listener)
    this.#client.on(event, listener)
  }

  #tell(what: 'ended' | 'revived'): void {
    for (const listener of this.#clientListeners) listener[what]()
  }

  #survived(error: unknown): void {
    const { message = '', name = '' } = (error ?? {}) as Partial<Error>
    for (const { warn } of this.#clientListeners) {
      warn({
        code: 'HALT_W_REDIS_ERROR_LISTENER',
        message: `Your Redis client has no error listener, and had an error: ${message || name}.`,
        fix: "Add one, client.on('error', …): without Halt's the process would have ended.",
      })
    }
  }
}

/** By kind of client, the events that it is ended by and opened with. */
const EVENTS: Readonly<Record<Client['kind'], readonly [string, string]>> = {
  ioredis: ['end', 'ready'],
  'ioredis-cluster': ['end', 'ready'],
  redis: ['end', 'ready'],
  'redis-pool': ['end', 'connect'],
  'redis-sentinel': ['end', 'connect'],
  'redis-cluster': ['disconnect', 'connect'],
}
