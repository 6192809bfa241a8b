import type { Warn } from '@halt/core'

import type { CheckedOptions } from './options.ts'
import { post } from './post.ts'
import type { OverloadEvent } from './overload-event.ts'
import { identityOf, messageIdOf, type QuotaEvent } from './quota-event.ts'

/** How many events are sent at the same time, so that one slow answer does not hold up all others. */
const MOST_AT_ONCE = 4
/** The wait before the second attempt, in milliseconds. Each later wait is twice as long. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000

/** An event of any kind. */
export type WebhookEvent = QuotaEvent | OverloadEvent

/** An event, and the number of its next attempt. */
interface Entry {
  readonly event: WebhookEvent
  readonly attempt: number
}

/** Events on their way to the receiver: bounded, sent again while the receiver fails, and dropped in the end. */
export class Outbox {
  readonly #options: CheckedOptions
  readonly #warn: Warn
  readonly #waiting: Entry[] = []
  readonly #sending = new Set<Promise<void>>()
  /** The events that the receiver did not take, by the timers of their next attempts. They hold up no others. */
  readonly #resting = new Map<unknown, Entry>()
  /** Why it takes no more events; undefined while it takes them. */
  #whyEnded: string | undefined
  /** When it gives up, on the clock of `performance`. */
  #deadline = Number.POSITIVE_INFINITY
  /** How many events were dropped: the queue was full, or the receiver did not take them. */
  dropped = 0
  /** How many events the receiver took. */
  sent = 0

  constructor(options: CheckedOptions, warn: Warn) {
    this.#options = options
    this.#warn = warn
  }

  add(event: WebhookEvent): void {
    if (this.#whyEnded !== undefined) return this.#drop(this.#whyEnded)
    if (this.#waiting.length + this.#resting.size >= this.#options.queue)
      return this.#drop('too many events wait')
    this.#waiting.push({ event, attempt: 1 })
    this.#start()
  }

  /**
   * Tries each event once more at once, and takes no more. Resolves when all are sent or dropped, after `timeout` at the latest: that
   * is the deadline of all events together.
   */
  async close(): Promise<void> {
    if (this.#whyEnded === undefined) this.#end('the telemetry is closed', this.#options.timeoutMs)
    while (this.#sending.size > 0) await Promise.all(this.#sending)
  }

  /** @param ms how long events are still sent */
  #end(why: string, ms: number): void {
    this.#whyEnded = why
    this.#deadline = performance.now() + ms
    for (const timer of this.#resting.keys()) this.#resume(timer)
  }

  #start(): void {
    while (this.#sending.size < MOST_AT_ONCE) {
      const entry = this.#waiting.shift()
      if (entry === undefined) return
      const sending = this.#send(entry).finally(() => {
        this.#sending.delete(sending)
        this.#start()
      })
      this.#sending.add(sending)
    }
  }

  async #send({ event, attempt }: Entry): Promise<void> {
    const isLast = this.#whyEnded !== undefined || attempt >= this.#options.attempts
    // Whole, because a runtime may refuse fractions.
    const left = Math.ceil(Math.min(this.#deadline - performance.now(), this.#options.timeoutMs))
    if (left <= 0) return this.#drop(this.#whyEnded ?? '')
    const id = await messageIdOf('shedder' in event.data ? event.data.id : identityOf(event as QuotaEvent))
    const { result, why } = await post(id, JSON.stringify(event), this.#options, left)
    if (result === 'taken') {
      this.sent++
      return
    }
    if (result === 'gone') this.#end('the receiver wants no more of them (it answered 410)', 0)
    if (result === 'gone' || result === 'refused' || isLast) return this.#drop(why)
    this.#rest({ event, attempt: attempt + 1 })
  }

  /** Lets an event wait for its next attempt, without keeping the process alive. */
  #rest(entry: Entry): void {
    // Spread, so that the processes do not come back all at once.
    const ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (entry.attempt - 2)) * (0.5 + Math.random())
    const timer: unknown = setTimeout(() => this.#resume(timer), ms)
    ;(timer as { unref?: () => void }).unref?.()
    this.#resting.set(timer, entry)
    if (this.#whyEnded !== undefined) this.#resume(timer)
  }

  #resume(timer: unknown): void {
    clearTimeout(timer as number)
    this.#waiting.push(this.#resting.get(timer) as Entry)
    this.#resting.delete(timer)
    this.#start()
  }

  #drop(why: string): void {
    this.dropped++
    this.#warn({
      code: 'HALT_W_WEBHOOK',
      message: `A webhook was dropped: ${why}.`,
      fix: 'Check that the receiver answers 2xx in time. `dropped` of the WebhookTelemetry counts further ones.',
    })
  }
}
