import { fromCaller, type QuotaUsage, type Telemetry, warnOnce } from '@halt/core'

import { checkOptions, type WebhookTelemetryOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { overloadEvent, type WatchedShedder } from './overload-event.ts'
import { identityOf, type QuotaEvent, quotaEvent } from './quota-event.ts'

/** How many events are remembered, so that each refusal of a quota is not an event of its own. */
const REMEMBERED = 10_000

/**
 * Posts a signed webhook when a client reaches a threshold of a quota, and when a quota first refuses it in a period. Requests
 * never wait for it.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_DURATION`, `HALT_E_SECRET`
 * @example
 * const webhooks = new WebhookTelemetry({ url: 'https://example.com/halt', secret: process.env.WEBHOOK_SECRET })
 * const limiter = new RateLimiter({ store, policy: monthly, telemetry: webhooks })
 */
export class WebhookTelemetry implements Telemetry {
  readonly #outbox: Outbox
  // Two generations, so that the memory is bounded.
  #told = new Set<string>()
  #toldBefore = new Set<string>()

  constructor(options: WebhookTelemetryOptions) {
    const checked = fromCaller(WebhookTelemetry, () => checkOptions(options))
    this.#outbox = new Outbox(checked, warnOnce(options.warn))
  }

  onQuotaThreshold(key: string, quota: QuotaUsage, threshold: number): void {
    this.#tell(quotaEvent('quota.threshold', key, quota, threshold))
  }

  onQuotaExceeded(key: string, quota: QuotaUsage): void {
    this.#tell(quotaEvent('quota.exceeded', key, quota))
  }

  /**
   * Posts an event whenever a load shedder of `@halt/overload` begins to refuse requests, and when that is over.
   *
   * @returns a function that ends it
   */
  watch(shedder: WatchedShedder): () => void {
    const ends = (['shedding', 'calm'] as const).map(name =>
      shedder.on(name, detail => this.#outbox.add(overloadEvent(`overload.${name}`, shedder.name, detail))),
    )
    return () => ends.forEach(end => end())
  }

  /** How many events the receiver has taken. */
  get sent(): number {
    return this.#outbox.sent
  }

  /** How many events were dropped, because too many waited or the receiver did not take them. */
  get dropped(): number {
    return this.#outbox.dropped
  }

  /**
   * Sends what waits, each event once more, and takes no more events. Resolves when all are sent or dropped, after `timeout` at the
   * latest. `dropped` counts the events that were not sent by then.
   */
  async close(): Promise<void> {
    await this.#outbox.close()
  }

  #tell(event: QuotaEvent): void {
    const identity = identityOf(event)
    if (this.#told.has(identity) || this.#toldBefore.has(identity)) return
    if (this.#told.size >= REMEMBERED) {
      this.#toldBefore = this.#told
      this.#told = new Set()
    }
    this.#told.add(identity)
    this.#outbox.add(event)
  }
}
