import type { Decision } from '@halt/core'

import { Attempts, type Verdict } from './attempts.ts'
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

/** The handler of one call: it hides the attempts that are repeated from the caller. */
export class LimitedHandler implements DispatchHandler {
  readonly #attempts: Attempts
  readonly #caller: DispatchHandler
  readonly #send: (handler: DispatchHandler) => void
  readonly #controller = new CallController()
  readonly #context: Record<string, unknown> = {}
  #turn: Decision | undefined
  /** Set while the answer of an attempt is read away. */
  #repeat: Verdict | undefined
  #discarded = 0

  constructor(attempts: Attempts, caller: DispatchHandler, send: (handler: DispatchHandler) => void) {
    this.#attempts = attempts
    this.#caller = caller
    this.#send = send
  }

  /** Tells the caller how to abort, and waits for the first turn. */
  start(): void {
    this.#caller.onRequestStart?.(this.#controller, this.#context)
    void this.#attempt()
  }

  onRequestStart(connection: Connection, context: unknown): void {
    Object.assign(this.#context, context)
    this.#controller.connect(connection)
  }

  onRequestUpgrade(_connection: Connection, status: number, headers: object, socket: unknown): void {
    this.#release()
    this.#caller.onRequestUpgrade?.(this.#controller, status, headers, socket)
  }

  onResponseStart(connection: Connection, status: number, headers: object, message?: string): void {
    // 1xx: the answer follows.
    const verdict = status < 200 ? undefined : this.#attempts.judge(status, headers)
    if (verdict?.again === undefined) {
      this.#caller.onResponseStart?.(this.#controller, status, headers, message)
      return
    }
    this.#repeat = verdict
    this.#discarded = 0
    if (connection.paused) connection.resume()
  }

  onResponseData(connection: Connection, chunk: { readonly byteLength: number }): void {
    if (this.#repeat === undefined) {
      this.#caller.onResponseData?.(this.#controller, chunk)
      return
    }
    this.#discarded += chunk.byteLength
    if (this.#discarded > MOST_DISCARDED) connection.abort(new Error('The call is sent again.'))
  }

  onResponseEnd(_connection: Connection, trailers: object): void {
    this.#release()
    if (this.#repeat === undefined) this.#caller.onResponseEnd?.(this.#controller, trailers)
    else void this.#attempt(this.#repeat)
  }

  onResponseError(_connection: Connection, error: Error): void {
    this.#release()
    // An answer that is cut off is not needed, so the call is sent again all the same.
    if (this.#repeat === undefined || this.#controller.aborted) this.#fail(error)
    else void this.#attempt(this.#repeat)
  }

  async #attempt(after?: Verdict): Promise<void> {
    const { signal } = this.#controller
    this.#repeat = undefined
    this.#controller.disconnect()
    try {
      if (after !== undefined) await this.#attempts.rest(after, signal)
      this.#turn = await this.#attempts.turn(signal)
      signal.throwIfAborted()
      this.#send(this)
    } catch (error) {
      this.#release()
      this.#fail(error as Error)
    }
  }

  #fail(error: Error): void {
    this.#caller.onResponseError?.(this.#controller, error)
  }

  #release(): void {
    const turn = this.#turn
    this.#turn = undefined
    if (turn !== undefined) void this.#attempts.over(turn)
  }
}
