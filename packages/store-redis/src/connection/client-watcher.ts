import type { Warn } from '@halt/core'

import type { Client } from './client.ts'
import type { Emitter } from './client-interfaces.ts'
import { unrefTimeout, type Timer } from './timer.ts'

const POLL_MS = 250

/** Functions to call when the user ends or opens the client. */
export interface ClientListener {
  /** The user ended the client. */
  readonly ended: () => void
  /** The user opened it again. */
  readonly revived: () => void
  readonly warn: Warn
}

/** Watches a user's client without changing its behaviour. Returns a function that ends the watch. */
export function watchClient(found: Client, listener: ClientListener): () => void {
  let watcher = watchers.get(found.client)
  if (watcher === undefined) watchers.set(found.client, (watcher = new ClientWatcher(found)))
  watcher.add(listener)
  return () => watcher.remove(listener)
}

// One watcher for all stores of a client, because Node warns of more than ten listeners to one event.
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
    // Without an error listener the first lost connection of a node-redis client would end the process.
    if (this.#kind.startsWith('redis') && this.#client.listenerCount('error') === 0) {
      this.#listen('error', error => this.#warnOfError(error))
    }
  }

  remove(listener: ClientListener): void {
    if (!this.#clientListeners.delete(listener) || this.#clientListeners.size > 0) return
    this.#poll?.cancel()
    for (const [event, callback] of this.#eventListeners) this.#client.off(event, callback)
    this.#eventListeners.clear()
  }

  #start(): void {
    const [ended, revived] = EVENTS[this.#kind]
    this.#listen(ended, () => {
      // ioredis also emits end when its retryStrategy gives up. The user did not end the client, so ours stays open.
      if (!this.#client.retryAttempts) this.#tell('ended')
    })
    this.#listen(revived, () => this.#tell('revived'))
    // Some versions of these clients emit no event when they are closed.
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

  #listen(event: string, callback: (...args: unknown[]) => void): void {
    this.#eventListeners.set(event, callback)
    this.#client.on(event, callback)
  }

  #tell(event: 'ended' | 'revived'): void {
    for (const listener of this.#clientListeners) listener[event]()
  }

  #warnOfError(error: unknown): void {
    const { message = '', name = '' } = (error ?? {}) as Partial<Error>
    for (const { warn } of this.#clientListeners) {
      warn({
        code: 'HALT_W_REDIS_ERROR_LISTENER',
        message: `Your Redis client has no error listener, and had an error: ${message || name}.`,
        fix: "Add one: client.on('error', …). Without the listener that Halt added, the process would have ended.",
      })
    }
  }
}

/** The events that a client emits when it is ended and opened, by its kind. */
const EVENTS: Readonly<Record<Client['kind'], readonly [string, string]>> = {
  ioredis: ['end', 'ready'],
  'ioredis-cluster': ['end', 'ready'],
  redis: ['end', 'ready'],
  'redis-pool': ['end', 'connect'],
  'redis-sentinel': ['end', 'connect'],
  'redis-cluster': ['disconnect', 'connect'],
}
