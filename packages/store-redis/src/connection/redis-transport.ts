import { type CommandSender, redisSender } from './command-sender.ts'
import type { RedisClient } from './client-interfaces.ts'
import { CONNECT_MS, type LostListener, type Transport } from './transport.ts'

/** Finds the client to duplicate. It has the options and, with Sentinel, the address of the master. */
export type FindTemplate = () => RedisClient | Promise<RedisClient>

/**
 * The options in which the store's node-redis connections differ from the user's client. The client queues nothing, does
 * not reconnect, and returns replies in their plain form.
 */
export function redisOptions(socket: unknown): Record<string, unknown> {
  return {
    disableOfflineQueue: true,
    commandsQueueMaxLength: undefined,
    // The timer of pings would keep the process alive.
    pingInterval: undefined,
    // With a timeout, node-redis 6 makes an AbortSignal per command.
    commandOptions: { timeout: undefined, typeMapping: {} },
    clientSideCache: undefined,
    emitInvalidate: false,
    maintNotifications: 'disabled',
    readonly: false,
    himportRegistry: undefined,
    socket: {
      ...(socket as object | undefined),
      reconnectStrategy: false,
      connectTimeout: CONNECT_MS,
      // A socket timeout would end idle connections.
      socketTimeout: undefined,
    },
  }
}

/**
 * A connection to one server, duplicated from the user's node-redis client, or from a client that the user's pool or
 * Sentinel client lends.
 */
export class RedisTransport implements Transport {
  readonly #find: FindTemplate
  readonly #prefix: string
  readonly #lost: LostListener
  #template: RedisClient | undefined
  #finding: Promise<RedisClient> | undefined
  #own: DuplicatedClient | undefined
  // Grows when an attempt to open begins or is given up.
  #attempt = 0

  constructor(find: FindTemplate, prefix: string, lost: LostListener) {
    this.#find = find
    this.#prefix = prefix
    this.#lost = lost
  }

  get sender(): CommandSender {
    if (this.#own === undefined) throw new Error('Not connected yet')
    return this.#own.sender
  }

  get ready(): boolean {
    return this.#own?.client.isReady === true
  }

  async open(): Promise<void> {
    if (this.ready) return
    const attempt = ++this.#attempt
    // A Sentinel client may need long to find its master, so attempts share one search.
    this.#finding ??= Promise.resolve(this.#find()).finally(() => {
      this.#finding = undefined
    })
    const template = await this.#finding
    if (attempt !== this.#attempt) throw new Error('Given up')
    if (template !== this.#template) {
      this.#own?.end()
      this.#template = template
      this.#own = new DuplicatedClient(template, this.#prefix, (own, cause) => {
        if (own === this.#own) this.#lost(cause)
      })
    }
    await this.#own?.connect()
  }

  abandon(): void {
    this.#attempt++
    this.#own?.end()
  }

  leaveDemoted(): void {
    this.#own?.end()
  }

  endUnresponsive(silent: boolean): void {
    if (silent) this.#own?.end()
  }

  disconnect(): void {
    this.abandon()
    this.#own = undefined
    this.#template = undefined
  }
}

/** One duplicated client. It connects when it is told to, and never by itself. */
class DuplicatedClient {
  readonly client: RedisClient
  readonly sender: CommandSender
  #connecting = false
  #unwanted = false

  constructor(template: RedisClient, prefix: string, lost: (own: DuplicatedClient, cause: unknown) => void) {
    this.client = template.duplicate(redisOptions(template.options?.['socket']))
    this.sender = redisSender(this.client, prefix)
    const broken = (cause: unknown): void =>
      // After any error the replies on this connection cannot be trusted.
      queueMicrotask(() => {
        if (!this.#connecting) end(this.client)
        lost(this, cause)
      })
    this.client.on('error', broken)
    this.client.on('end', () => broken(new Error('The client is closed')))
    this.client.on('connect', () => {
      this.#connecting = false
      if (this.#unwanted) end(this.client)
    })
    this.client.unref()
  }

  async connect(): Promise<void> {
    this.#unwanted = false
    this.#connecting = true
    try {
      await this.client.connect()
    } finally {
      this.#connecting = false
    }
  }

  end(): void {
    // node-redis cannot end a socket that is still connecting, so it is ended after it has connected.
    this.#unwanted = true
    if (!this.#connecting) end(this.client)
  }
}

/** Ends a connection at once. Pending calls reject. */
export function end(client: RedisClient | undefined): void {
  try {
    client?.destroy()
  } catch {
    // node-redis 5 throws if the client is closed already.
  }
}
