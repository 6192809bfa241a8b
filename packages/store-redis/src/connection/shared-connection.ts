import { type CommandSender, senderOf } from './command-sender.ts'
import type { Client } from './client.ts'
import { runScript, promiseTry } from './script-run.ts'
import { checkDatabase } from './ioredis-transport.ts'
import type { Connection, Script, Topology } from './connection.ts'
import { atMostOnceSender } from './at-most-once.ts'
import { StoreError, toStoreError, unsent } from './store-error.ts'
import { ignore, sleep } from './timer.ts'
import { OPEN_MS } from './transport.ts'

const POLL_MS = 5

/** A link over the user's own connection: what it queues, repeats and waits for is up to that. */
export class SharedConnection implements Connection {
  readonly topology: Topology
  readonly #found: Client
  readonly #release: () => void
  readonly #sender: CommandSender
  #closed = false
  #misplaced: StoreError | undefined

  /** @param release is called when the link is closed */
  constructor(found: Client, release: () => void) {
    this.topology = found.topology
    this.#found = found
    this.#release = release
    const sender = senderOf(found)
    this.#sender = writesAtOnce(found) ? atMostOnceSender(sender) : sender
  }

  get ready(): boolean {
    return !this.#closed && isReady(this.#found)
  }

  /** Waits for a client that is connecting now; one that nobody told to connect is not waited for. */
  get opened(): Promise<void> {
    return this.#open()
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.#check()
    try {
      return await runScript(this.#sender, script, keys, args)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  async command(args: readonly string[], key?: string): Promise<unknown> {
    this.#check()
    try {
      return await promiseTry(() => this.#sender.command(args, key))
    } catch (error) {
      throw toStoreError(error)
    }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#release()
    return Promise.resolve()
  }

  async #open(): Promise<void> {
    const found = this.#found
    const isIoredis = found.kind === 'ioredis' || found.kind === 'ioredis-cluster'
    // It connects at its first command, and this is it.
    if (isIoredis && found.client.status === 'wait') found.client.connect().catch(ignore)
    const started = performance.now()
    while (!this.#closed && isConnecting(found) && performance.now() - started < OPEN_MS) await sleep(POLL_MS)
    if (found.kind !== 'ioredis' || !this.ready) return
    await checkDatabase(found.client).catch((error: unknown) => {
      const refusal = toStoreError(error)
      if (refusal.reply !== undefined) this.#misplaced = refusal
    })
  }

  #check(): void {
    if (this.#misplaced !== undefined) throw unsent(this.#misplaced)
    if (this.ready) return
    const why = this.#closed ? 'The store was closed' : 'The Redis client is not connected'
    throw unsent(new StoreError(why, 'unavailable'))
  }
}

// Not what auto-pipelining gathers, nor what a cluster client sends from node to node.
function writesAtOnce(found: Client): boolean {
  return found.kind === 'ioredis' && found.client.options['enableAutoPipelining'] !== true
}

function isConnecting(found: Client): boolean {
  switch (found.kind) {
    case 'ioredis':
    case 'ioredis-cluster':
      return found.client.status === 'connecting' || found.client.status === 'connect'
    case 'redis':
    case 'redis-sentinel':
      return found.client.isOpen && !found.client.isReady
    case 'redis-pool':
    case 'redis-cluster':
      return false
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
