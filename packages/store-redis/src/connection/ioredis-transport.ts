import { type CommandSender, ioredisSender } from './command-sender.ts'
import type { Ioredis } from './client-interfaces.ts'
import { CONNECT_MS, type LostListener, type Transport } from './transport.ts'

/**
 * The options in which the store's ioredis connections differ from the user's client. The client queues nothing, sends
 * nothing again, does not reconnect, and returns replies in their plain form.
 */
export const IOREDIS_OPTIONS: Readonly<Record<string, unknown>> = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: null,
  retryStrategy: null,
  reconnectOnError: null,
  connectTimeout: CONNECT_MS,
  disconnectTimeout: 50,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  enableAutoPipelining: false,
  showFriendlyErrorStack: false,
  monitor: false,
  readOnly: false,
  scripts: undefined,
  himportFieldsets: undefined,
  protocol: 2,
  replyMapping: 'legacy',
  stringNumbers: false,
  // Without a ready check, ioredis 5 calls a connection ready even if it is lost while these commands are sent.
  disableClientInfo: true,
  connectionName: null,
}

const SENTINEL_OPTIONS: Readonly<Record<string, unknown>> = {
  // The check asks the server for its role, so that a demoted master is not used.
  enableReadyCheck: true,
  role: 'master',
  sentinelRetryStrategy: null,
  failoverDetector: false,
  sentinelCommandTimeout: 1_000,
}

/** A connection to one server, by address or through Sentinel, duplicated from the user's ioredis client. */
export class IoredisTransport implements Transport {
  readonly sender: CommandSender
  readonly #client: Ioredis
  #cause: unknown
  #ended = false

  constructor(source: Ioredis, lost: LostListener) {
    const sentinel = source.options['sentinels'] ? SENTINEL_OPTIONS : {}
    this.#client = source.duplicate({ ...IOREDIS_OPTIONS, ...sentinel })
    this.sender = ioredisSender(this.#client)
    this.#client.on('error', error => {
      this.#cause = error
    })
    this.#client.on('connect', () => this.#client.stream?.unref?.())
    this.#client.on('end', () => lost(this.#cause ?? new Error('Connection is closed.')))
  }

  get ready(): boolean {
    return this.#client.status === 'ready' && !this.#ended
  }

  async open(): Promise<void> {
    if (this.ready) return
    this.#cause = undefined
    this.#ended = false
    try {
      await this.#client.connect()
    } catch (error) {
      // The rejection says only that it failed. The error event before it says why.
      throw this.#cause ?? error
    }
    await checkDatabase(this.#client)
  }

  abandon(): void {
    this.disconnect()
  }

  leaveDemoted(): void {
    this.disconnect()
  }

  endUnresponsive(silent: boolean): void {
    if (silent) this.disconnect()
  }

  disconnect(): void {
    this.#ended = true
    end(this.#client)
  }
}

/**
 * Rejects if the server has no database of the client's number. ioredis itself only emits an error event, and then uses
 * database 0.
 */
export async function checkDatabase(client: Ioredis): Promise<void> {
  const { db } = client.options
  if (typeof db === 'number' && db > 0) await client.call('select', [String(db)])
}

/** Ends a connection at once. Pending calls reject. */
export function end(client: Ioredis): void {
  if (client.status === 'wait' || client.status === 'end') return
  client.disconnect()
  client.stream?.destroy?.()
}
