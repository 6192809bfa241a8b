import type { StoreError } from '@halt/core/store'
import type { Client } from './client.ts'
import { type CommandSender, senderOf } from './command-sender.ts'
import type { Connection, Script, Topology } from './connection.ts'
import { checkDatabase } from './ioredis-transport.ts'
import { runScript, promiseTry } from './script-run.ts'
import { storeError, toStoreError, unsent } from './store-error.ts'
import { ignore, sleep } from './timer.ts'
import { OPEN_MS } from './transport.ts'

interface Bytes {
  fill(text: string): unknown
}

const { Buffer } = globalThis as unknown as { Buffer: { from(text: string): Bytes } }

/**
 * Wraps a sender of ioredis so that Redis executes each script call at most once.
 *
 * ioredis sends a command again if its reply was lost, and sends queued commands late. In both cases it encodes the
 * arguments again. So the first argument of a script, its clock, is a buffer that is overwritten as soon as the command
 * was written. Any later copy has `x` as its clock, and the script refuses it.
 */
function atMostOnceSender(sender: CommandSender): CommandSender {
  return {
    ...sender,
    evalsha: (sha, keys, args) =>
      spoilingClock(args, spoilableArgs => sender.evalsha(sha, keys, spoilableArgs)),
    eval: (source, keys, args) =>
      spoilingClock(args, spoilableArgs => sender.eval(source, keys, spoilableArgs)),
  }
}

function spoilingClock(
  [clock = '', ...args]: readonly string[],
  send: (args: readonly string[]) => Promise<unknown>,
): Promise<unknown> {
  // An empty buffer cannot be overwritten, so the placeholder s stands for the server's clock.
  const mark = Buffer.from(clock === '' ? 's' : clock)
  const reply = send([mark as unknown as string, ...args])
  mark.fill('x')
  return reply
}

const POLL_MS = 5

/** A connection that is the user's own client. The client's settings decide what it queues, sends again and waits for. */
export class SharedConnection implements Connection {
  readonly topology: Topology
  readonly #found: Client
  readonly #release: () => void
  readonly #sender: CommandSender
  #closed = false
  #wrongDatabase: StoreError | undefined

  /** @param release is called when the connection is closed */
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

  /** Waits while the client is connecting. Does not wait for a client that was never told to connect. */
  get opened(): Promise<void> {
    return this.#open()
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const closed = this.#whyClosed()
    if (closed !== undefined) return Promise.reject(closed)
    return runScript(this.#sender, script, keys, args, undefined, failed)
  }

  async command(args: readonly string[], key?: string): Promise<unknown> {
    const closed = this.#whyClosed()
    if (closed !== undefined) throw closed
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
    // A client with lazyConnect connects at its first command, which is this one.
    if (isIoredis && found.client.status === 'wait') found.client.connect().catch(ignore)
    const started = performance.now()
    while (!this.#closed && isConnecting(found) && performance.now() - started < OPEN_MS) await sleep(POLL_MS)
    if (found.kind !== 'ioredis' || !this.ready) return
    await checkDatabase(found.client).catch((error: unknown) => {
      const refusal = toStoreError(error)
      if (refusal.reply !== undefined) this.#wrongDatabase = refusal
    })
  }

  /** The error of a call that cannot be sent now. */
  #whyClosed(): StoreError | undefined {
    if (this.#wrongDatabase !== undefined) return unsent(this.#wrongDatabase)
    if (this.ready) return undefined
    const why = this.#closed ? 'The store was closed' : 'The Redis client is not connected'
    return unsent(storeError(why, 'unavailable'))
  }
}

function failed(error: unknown): never {
  throw toStoreError(error)
}

// Auto-pipelining writes a command later, and a cluster client may write it again to another node.
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
      // isReady exists since 6.1. In older versions isOpen tells only that connect() was called.
      return found.client.isReady ?? found.client.isOpen
  }
}
