import { type Caller, redisCaller } from './caller.ts'
import type { RedisClient } from './shapes.ts'
import { CONNECT_MS, type Lost, type Wire } from './wire.ts'

/** Finds the client whose options, and with Sentinel whose address, our own connection takes. */
export type FindTemplate = () => RedisClient | Promise<RedisClient>

/**
 * What our own node-redis connections do otherwise than the user's: nothing is queued or opened again by the client, and
 * replies have their plain form.
 */
export function redisOptions(signal: AbortSignal, socket: unknown): Record<string, unknown> {
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
      socketTimeout: undefined,
      // Reaches what node-redis 5 loses sight of: a socket that was destroyed before it was connected.
      signal,
    },
  }
}

/** A connection to one server, made from the user's node-redis client, or from one of its pool's or Sentinel's. */
export class RedisWire implements Wire {
  readonly #find: FindTemplate
  readonly #prefix: string
  readonly #lost: Lost
  #template: RedisClient | undefined
  #client: RedisClient | undefined
  #caller: Caller | undefined
  #finding: Promise<RedisClient> | undefined
  #abort = new AbortController()
  // Grows when an attempt to open is given up.
  #attempt = 0

  constructor(find: FindTemplate, prefix: string, lost: Lost) {
    this.#find = find
    this.#prefix = prefix
    this.#lost = lost
  }

  get caller(): Caller {
    if (this.#caller === undefined) throw new Error('Not connected yet')
    return this.#caller
  }

  get ready(): boolean {
    return this.#client?.isReady === true
  }

  async open(): Promise<void> {
    const attempt = ++this.#attempt
    // A Sentinel client may search for its master for long: it is asked once.
    this.#finding ??= Promise.resolve(this.#find()).finally(() => {
      this.#finding = undefined
    })
    const template = await this.#finding
    if (attempt !== this.#attempt) throw new Error('Given up')
    if (template !== this.#template) this.#make(template)
    await this.#client?.connect()
  }

  abandon(): void {
    this.#attempt++
    end(this.#client)
  }

  renew(): void {
    end(this.#client)
  }

  cull(silent: boolean): void {
    if (silent) end(this.#client)
  }

  drop(): void {
    this.#discard()
    this.#attempt++
  }

  #make(template: RedisClient): void {
    this.#discard()
    const abort = new AbortController()
    const client = template.duplicate(redisOptions(abort.signal, template.options?.['socket']))
    const broken = (cause: unknown): void => {
      // Whatever went wrong, what comes over this connection cannot be trusted any more.
      queueMicrotask(() => {
        if (this.#client !== client) return
        end(client)
        this.#lost(cause)
      })
    }
    client.on('error', broken)
    client.on('end', () => broken(new Error('The client is closed')))
    client.unref()
    this.#abort = abort
    this.#template = template
    this.#client = client
    this.#caller = redisCaller(client, this.#prefix)
  }

  #discard(): void {
    const client = this.#client
    this.#client = undefined
    this.#template = undefined
    end(client)
    this.#abort.abort()
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
