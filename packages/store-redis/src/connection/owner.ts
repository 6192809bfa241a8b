import type { Warn } from '@halt/core'

import type { Client } from './client.ts'
import type { Emitter } from './shapes.ts'
import { quietly, type Timer } from './timer.ts'

const POLL_MS = 250

/** Who wants to know what becomes of a user's client. */
export interface Watcher {
  /** The user ended the client. */
  readonly ended: () => void
  /** The user opened it again. */
  readonly revived: () => void
  readonly warn: Warn
}

/** Watches a user's client, whose behaviour stays as it is; returns what ends the watch. */
export function watch(found: Client, watcher: Watcher): () => void {
  let owner = owners.get(found.client)
  if (owner === undefined) owners.set(found.client, (owner = new Owner(found)))
  owner.add(watcher)
  return () => owner.remove(watcher)
}

// One for all stores of a client: Node warns of an emitter with more than ten listeners of a kind.
const owners = new WeakMap<object, Owner>()

class Owner {
  readonly #client: Emitter & { readonly isOpen?: boolean; readonly retryAttempts?: number }
  readonly #kind: Client['kind']
  readonly #watchers = new Set<Watcher>()
  readonly #listeners = new Map<string, (...args: unknown[]) => void>()
  #poll: Timer | undefined

  constructor({ client, kind }: Client) {
    this.#client = client
    this.#kind = kind
  }

  add(watcher: Watcher): void {
    if (this.#watchers.size === 0) this.#start()
    this.#watchers.add(watcher)
    // Without a listener the first lost connection of a node-redis client would end the process.
    if (this.#kind.startsWith('redis') && this.#client.listenerCount('error') === 0) {
      this.#listen('error', error => this.#survived(error))
    }
  }

  remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return
    this.#poll?.cancel()
    for (const [event, listener] of this.#listeners) this.#client.off(event, listener)
    this.#listeners.clear()
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
      this.#look(this.#client.isOpen === true)
  }

  #look(wasOpen: boolean): void {
    this.#poll = quietly(POLL_MS, () => {
      const isOpen = this.#client.isOpen === true
      this.#look(isOpen)
      if (wasOpen !== isOpen) this.#tell(isOpen ? 'revived' : 'ended')
    })
  }

  #listen(event: string, listener: (...args: unknown[]) => void): void {
    this.#listeners.set(event, listener)
    this.#client.on(event, listener)
  }

  #tell(what: 'ended' | 'revived'): void {
    for (const watcher of this.#watchers) watcher[what]()
  }

  #survived(error: unknown): void {
    const { message = '', name = '' } = (error ?? {}) as Partial<Error>
    for (const { warn } of this.#watchers) {
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
