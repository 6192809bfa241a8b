/** The controller of one dispatch of undici. */
export interface Connection {
  readonly aborted: boolean
  readonly paused: boolean
  readonly reason: unknown
  readonly rawHeaders?: unknown
  readonly rawTrailers?: unknown
  abort(reason: Error): void
  pause(): void
  resume(): void
}

/**
 * The controller that the caller gets for all attempts of a call. It exists before there is a connection, so that a call can
 * be aborted while it waits.
 */
export class CallController implements Connection {
  /** Aborted with the caller's reason. */
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  #connection: Connection | undefined
  #paused = false

  constructor() {
    this.signal = this.#abort.signal
  }

  /** Leads the caller to the connection of an attempt. Aborts that if the caller has given up. */
  connect(connection: Connection): void {
    this.#connection = connection
    if (this.#paused) connection.pause()
    if (this.aborted) connection.abort(this.reason as Error)
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted
  }

  get reason(): unknown {
    return this.aborted ? this.#abort.signal.reason : null
  }

  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders(): unknown {
    return this.#connection?.rawHeaders ?? null
  }

  get rawTrailers(): unknown {
    return this.#connection?.rawTrailers ?? null
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.#abort.abort(reason)
    this.#connection?.abort(reason)
  }

  pause(): void {
    this.#paused = true
    this.#connection?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#connection?.resume()
  }
}
