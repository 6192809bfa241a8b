import type { Decision, DecisionMetadata, PenaltyStatus, QuotaUsage, Telemetry } from '@halt/core'

import { Events, type LiveEvent } from './events.ts'
import { Health, type StoreHealth } from './health.ts'
import { Tallies, type Tally } from './tallies.ts'
import { type Counts, Timeline } from './timeline.ts'
import { TopKeys, type TopKey } from './top-keys.ts'

/** The recorded data. Keys are as the limiter names them, so they must be masked before they are shown. */
export interface Recording {
  readonly counts: Counts
  readonly policies: readonly Tally[]
  readonly refusedKeys: readonly TopKey[]
  readonly store: StoreHealth
  readonly events: readonly LiveEvent[]
}

const SHOWN_KEYS = 8

/**
 * Telemetry that counts for the live page, in bounded memory. It does nothing but count until the {@link Recording} is read.
 */
export class Recorder implements Telemetry {
  readonly #timeline = new Timeline()
  readonly #tallies = new Tallies()
  readonly #refused = new TopKeys()
  readonly #health = new Health()
  readonly #events = new Events()

  onCheck(key: string, decision: Decision, { degraded, store, durationMs }: DecisionMetadata): void {
    const now = Date.now()
    this.#timeline.count(decision.allowed ? 'allowed' : 'refused', now)
    if (degraded !== false) this.#timeline.count('degraded', now)
    for (const verdict of decision.verdicts) this.#tallies.count(verdict, now)
    if (!decision.allowed) this.#refused.count(key, decision.policy, decision.reason)
    this.#health.decided(degraded, store, durationMs, now)
  }

  onExempt(): void {
    this.#timeline.count('exempt', Date.now())
  }

  onQuotaExceeded(key: string, { name }: QuotaUsage): void {
    this.#events.add({ at: Date.now(), what: `Quota ${name} is used up`, key })
  }

  onQuotaThreshold(key: string, { name }: QuotaUsage, threshold: number): void {
    const what = `Quota ${name} has reached ${Math.round(threshold * 100)} %`
    this.#events.add({ at: Date.now(), what, key })
  }

  onPenaltyApplied(key: string, { abuseScore }: PenaltyStatus): void {
    this.#events.add({ at: Date.now(), what: `A penalty began, score ${abuseScore}`, key })
  }

  onStoreError(_error: unknown, { failure, store }: { failure: string; store: string }): void {
    const now = Date.now()
    this.#health.failed(failure, store, now)
    this.#events.add({ at: now, what: `The store failed: ${failure}`, key: undefined })
  }

  read(now: number = Date.now()): Recording {
    return {
      counts: this.#timeline.read(now),
      policies: this.#tallies.read(now),
      refusedKeys: this.#refused.read(SHOWN_KEYS),
      store: this.#health.read(),
      events: this.#events.read(),
    }
  }
}
