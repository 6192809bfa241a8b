import type { Decision } from '@halt/core'

import type { Attempts, Verdict } from './attempts.ts'
import { MOST_DISCARDED } from './bodies.ts'
import { CallController, type Connection } from './dispatch-controller.ts'

/** The callbacks of a dispatch, as undici has them since version 7. */
export interface DispatchHandler {
  onRequestStart?(controller: Connection, context: unknown): void
  onRequestUpgrade?(controller: Connection, status: number, headers: object, socket: unknown): void
  onResponseStart?(controller: Connection, status: number, headers: object, message?: string): void
  onResponseData?(controller: Connection, chunk: { readonly byteLength: number }): void
  onResponseEnd?(controller: Connection, trailers: object): void
  onResponseError?(controller: Connection, error: Error): void
}

/** An answer that the caller does not see, because its call is sent again. */
interface HiddenAnswer {
  readonly verdict: Verdict
  /** Gives up on the rest of the answer, and frees its place. */
  readonly stop: () => Promise<void>
}

/** One call of undici, over all its attempts. The caller can abort it from its start on. */
export class LimitedCall {
  readonly attempts: Attempts
  readonly caller: DispatchHandler
  readonly controller: CallController = new CallController()
  readonly context: object = {}
  readonly #send: (handler: DispatchHandler) => void

  constructor(attempts: Attempts, caller: DispatchHandler, send: (handler: DispatchHandler) => void) {
    this.attempts = attempts
    this.caller = caller
    this.#send = send
    caller.onRequestStart?.(this.controller, this.context)
  }

  /** Waits for the call's turn, and sends it. Never rejects. */
  async attempt(before?: HiddenAnswer): Promise<void> {
    const { signal } = this.controller
    let turn: Decision | undefined
    try {
      if (before !== undefined) await this.#rest(before)
      turn = await this.attempts.turn(signal)
      signal.throwIfAborted()
      this.#send(new AttemptHandler(this, turn))
    } catch (error) {
      if (turn !== undefined) void this.attempts.over(turn)
      this.caller.onResponseError?.(this.controller, error as Error)
    }
  }

  async #rest({ verdict, stop }: HiddenAnswer): Promise<void> {
    try {
      await this.attempts.rest(verdict, this.controller.signal)
    } finally {
      // A place in flight must be free before the call waits for the next one.
      await stop()
    }
  }
}

/** The handler of one attempt. */
class AttemptHandler implements DispatchHandler {
  readonly #call: LimitedCall
  readonly #turn: Decision
  #isOver = false
  /** The addresses that answered, the last one included, if redirects are followed below this handler. */
  #visited: readonly { readonly href: string }[] = []
  /** The bytes that were read away, if the answer is hidden. */
  #discarded: number | undefined

  constructor(call: LimitedCall, turn: Decision) {
    this.#call = call
    this.#turn = turn
  }

  onRequestStart(connection: Connection, context: unknown): void {
    Object.assign(this.#call.context, context)
    const { history } = (context ?? {}) as { history?: unknown }
    if (Array.isArray(history)) this.#visited = history as { href: string }[]
    this.#call.controller.connect(connection)
  }

  onRequestUpgrade(_connection: Connection, status: number, headers: object, socket: unknown): void {
    void this.#end()
    this.#call.caller.onRequestUpgrade?.(this.#call.controller, status, headers, socket)
  }

  onResponseStart(connection: Connection, status: number, headers: object, message?: string): void {
    // 1xx: the answer follows.
    const verdict =
      status < 200 ? undefined : this.#call.attempts.judge(status, headers, this.#visited.at(-1)?.href)
    if (verdict?.again === undefined) {
      this.#call.caller.onResponseStart?.(this.#call.controller, status, headers, message)
      return
    }
    this.#discarded = 0
    if (connection.paused) connection.resume()
    void this.#call.attempt({ verdict, stop: () => this.#stop(connection) })
  }

  onResponseData(connection: Connection, chunk: { readonly byteLength: number }): void {
    if (this.#discarded === undefined) {
      this.#call.caller.onResponseData?.(this.#call.controller, chunk)
      return
    }
    this.#discarded += chunk.byteLength
    if (this.#discarded > MOST_DISCARDED) void this.#stop(connection)
  }

  onResponseEnd(_connection: Connection, trailers: object): void {
    void this.#end()
    if (this.#discarded === undefined) this.#call.caller.onResponseEnd?.(this.#call.controller, trailers)
  }

  onResponseError(_connection: Connection, error: Error): void {
    void this.#end()
    // A hidden answer may be cut off. The call is sent again all the same.
    if (this.#discarded === undefined) this.#call.caller.onResponseError?.(this.#call.controller, error)
  }

  async #stop(connection: Connection): Promise<void> {
    if (!this.#isOver) connection.abort(new Error('The call is sent again.'))
    await this.#end()
  }

  async #end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#call.attempts.over(this.#turn)
  }
}
