import { type Caller, callerOf } from './caller.ts'
import type { Client } from './client.ts'
import { evaluate, settle } from './evaluation.ts'
import type { Link, Script, Topology } from './link.ts'
import { StoreError, toStoreError } from './store-error.ts'

/** A link over the user's own connection: what it queues, repeats and waits for is up to that. */
export class SharedLink implements Link {
  readonly topology: Topology
  readonly opened: Promise<void> = Promise.resolve()
  readonly #found: Client
  readonly #release: () => void
  readonly #caller: Caller
  #closed = false

  /** @param release is called when the link is closed */
  constructor(found: Client, release: () => void) {
    this.topology = found.topology
    this.#found = found
    this.#release = release
    this.#caller = callerOf(found)
  }

  get ready(): boolean {
    return !this.#closed && isReady(this.#found)
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.#check()
    try {
      return await evaluate(this.#caller, script, keys, args)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  async command(args: readonly string[], key?: string): Promise<unknown> {
    this.#check()
    try {
      return await settle(() => this.#caller.command(args, key))
    } catch (error) {
      throw toStoreError(error)
    }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#release()
    return Promise.resolve()
  }

  #check(): void {
    if (this.ready) return
    throw new StoreError(this.#closed ? 'The store was closed' : 'The Redis client is not connected', 'away')
  }
}

function isReady(found: Client): boolean {
  switch (found.kind) {
    case 'ioredis':
    case 'ioredis-cluster':
      return found.client.status === 'ready'
    case 'redis':
    case 'redis-sentinel':
      return found.client.isReady
    case 'redis-pool':
      return found.client.isOpen
    case 'redis-cluster':
      // Since 6.1; before it says only that it was told to connect.
      return found.client.isReady ?? found.client.isOpen
  }
}
