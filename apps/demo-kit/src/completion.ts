import { llmCost, type Reservation } from '@halt/core'

import { generate, LONGEST, tokensOf } from './model.ts'

/** The tokens that a call reserves, by policy name: its prompt and the longest answer. */
export function estimate(prompt: string): Readonly<Record<string, number>> {
  return llmCost(tokensOf(prompt) + LONGEST)
}

/** The prompt in a request's body; empty if there is none. */
export function promptOf(body: unknown): string {
  const { prompt } = (typeof body === 'object' && body !== null ? body : {}) as { prompt?: unknown }
  return typeof prompt === 'string' ? prompt : ''
}

/**
 * The model's answer as server-sent events. However it ends, the charge is corrected to the tokens that were used: all of
 * them at the end; those generated so far when the client leaves (otherwise an attacker could read most of the answer, hang
 * up, and pay nothing); none if the model was never called.
 *
 * This is an iterator and not a generator, because a generator that was never started does not run its `finally`.
 */
export class Completion implements AsyncIterableIterator<string> {
  readonly #prompt: string
  readonly #reservation: Reservation
  readonly #tokens = generate()
  #state: 'fresh' | 'running' | 'ended' = 'fresh'
  #generated = 0

  constructor(prompt: string, reservation: Reservation) {
    this.#prompt = prompt
    this.#reservation = reservation
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    if (this.#state === 'ended') return { done: true, value: undefined }
    this.#state = 'running'
    try {
      const { done, value } = await this.#tokens.next()
      if (done !== true) {
        this.#generated++
        return { done: false, value: event({ token: value }) }
      }
    } catch (error) {
      await this.#end()
      throw error
    }
    const usage = { prompt_tokens: tokensOf(this.#prompt), completion_tokens: this.#generated }
    await this.#end()
    return { done: false, value: event({ usage }) }
  }

  /** Ends the answer early. The reader calls this when the client has left. */
  async return(): Promise<IteratorResult<string, undefined>> {
    await this.#end()
    await this.#tokens.return()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #end(): Promise<void> {
    if (this.#state === 'ended') return
    const used = this.#state === 'fresh' ? 0 : tokensOf(this.#prompt) + this.#generated
    this.#state = 'ended'
    await this.#reservation.settle(llmCost(used))
  }
}

/** The headers of such an answer. */
export const STREAM_HEADERS: Readonly<Record<'Content-Type' | 'Cache-Control', string>> = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
