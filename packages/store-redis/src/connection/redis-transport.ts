import { type CommandSender, redisSender } from './command-sender.ts'
import type { RedisClient } from './client-interfaces.ts'
import { CONNECT_MS, type Lost, type Transport } from './transport.ts'

/** Finds the client whose options, and with Sentinel whose address, our own connection takes. */
export type FindTemplate = () => RedisClient | Promise<RedisClient>

/**
 * What our own node-redis connections do otherwise than the user's: nothing is queued or opened again by the client, and
 * replies have their plain form.
 */
export function redisOptions(socket: unknown): Record<string, unknown> {
  return {
    disableOfflineQueue: true,
    commandsQueueMaxLength: undefined,
    // Its timer would keep the process alive.
    pingInterval: undefined,
    // node-redis 6 makes an AbortSignal a command where there is a timeout.
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
      // It would end connections that are idle.
      socketTimeout: undefined,
    },
  }
}

/** A connection to one server, made from the user's node-redis client, or from one that its pool or Sentinel lends. */
export class RedisTransport implements Transport {
  readonly #find: FindTemplate
  readonly #prefix: string
  readonly #lost: Lost
  #template: RedisClient | undefined
  #finding: Promise<RedisClient> | undefined
  #own: Own | undefined
  // Grows when an attempt to open is given up.
  #attempt = 0

  constructor(find: FindTemplate, prefix: string, lost: Lost) {
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
    // A Sentinel client may search for its master for long: it is asked once.
    this.#finding ??= Promise.resolve(this.#find()).finally(() => {
      this.#finding = undefined
    })
    const template = await this.#finding
    if (attempt !== this.#attempt) throw new Error('Given up')
    if (template !== this.#template) {
      this.#own?.end()
      this.#template = template
      this.#own = new Own(template, this.#prefix, (own, cause) => {
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

/** A client of our own: connected again and again, never by itself. */
class Own {
  readonly client: RedisClient
  readonly sender: CommandSender
  #connecting = false
  #unwanted = false

  constructor(template: RedisClient, prefix: string, lost: (own: Own, cause: unknown) => void) {
    this.client = template.duplicate(redisOptions(template.options?.['socket']))
    this.sender = redisSender(this.client, prefix)
    const broken = (cause: unknown): void =>
      // Whatever went wrong, what comes over this connection cannot be trusted any more.
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
    // node-redis loses sight of a socket that is not connected yet: it is ended as soon as it is.
    this.#unwanted = true
    if (!this.#connecting) end(this.client)
  }
}

/** Ends a connection at once: what was sent rejects. */
export function end(client: RedisClient | undefined): void {
  try {
    client?.destroy()
  } catch {
    // node-redis 5 throws when it is closed already.
  }
}
