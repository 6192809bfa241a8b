import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  type DecisionMessage,
  type PenaltyMessage,
  type QuotaMessage,
  type StoreErrorMessage,
  type StoreRecoveredMessage,
  TopKeys,
} from '@halt/core'

import { Events } from './events.ts'
import { Health } from './health.ts'
import type { ProcessNumbers } from './report.ts'
import { Tallies } from './tallies.ts'
import { Timeline } from './timeline.ts'

type Listener = (message: unknown) => void

/** How many keys are shown, by each count. */
export const MOST_KEYS = 10
/** How many keys are counted, of each policy and by each count. */
const COUNTED_KEYS = 200
/** How many policies are shown. */
const MOST_POLICIES = 20

/**
 * Counts the decisions of this process in bounded memory, from the first to the last moment in which somebody watches. It listens to
 * the channels of Halt, so decisions cost nothing more while nobody does.
 */
export class Recorder {
  readonly #since = Date.now()
  readonly #timeline = new Timeline()
  readonly #tallies = new Tallies()
  readonly #topKeys = new TopKeys({ counters: COUNTED_KEYS })
  readonly #health: Health
  readonly #events = new Events()
  readonly #listeners: readonly (readonly [string, Listener])[]

  /** @param kind the kind of the store, until a decision tells it */
  constructor(kind: string) {
    this.#health = new Health(kind, this.#since)
    this.#listeners = [
      ['halt:decision', quiet(message => this.#decided(message as DecisionMessage))],
      ['halt:quota', quiet(message => this.#quota(message as QuotaMessage))],
      ['halt:penalty', quiet(message => this.#penalty(message as PenaltyMessage))],
      ['halt:store:error', quiet(message => this.#failed(message as StoreErrorMessage))],
      ['halt:store:recovered', quiet(message => this.#recovered(message as StoreRecoveredMessage))],
    ]
    for (const [name, listener] of this.#listeners) subscribe(name, listener)
  }

  /** Ends the recording. */
  stop(): void {
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener)
  }

  /** The numbers so far. */
  read(now: number): Omit<ProcessNumbers, 'waiting'> {
    const { used, refused } = this.#topKeys.local(MOST_KEYS)
    return {
      now,
      since: this.#since,
      counts: this.#timeline.read(now),
      policies: this.#tallies.read(now).slice(0, MOST_POLICIES),
      used: used.slice(0, MOST_KEYS),
      refused: refused.slice(0, MOST_KEYS),
      store: this.#health.read(),
      events: this.#events.read(),
    }
  }

  #decided({ key, decision, metadata }: DecisionMessage): void {
    const now = Date.now()
    if (metadata.outcome === 'exempt') return this.#timeline.count('exempt', now)
    this.#timeline.count(decision.allowed ? 'allowed' : 'refused', now)
    if (metadata.degraded !== false) this.#timeline.count('degraded', now)
    for (const verdict of decision.verdicts) this.#tallies.count(verdict, now)
    this.#topKeys.onCheck(key, decision, metadata)
    this.#health.decided(metadata.degraded, metadata.store, metadata.durationMs, now)
  }

  #quota({ event, key, quota: { name }, threshold }: QuotaMessage): void {
    const now = Date.now()
    if (event === 'exceeded') this.#events.add({ at: now, what: `The quota ${name} is used up`, key })
    if (event === 'threshold') {
      const share = Math.round((threshold ?? 0) * 100)
      this.#events.add({ at: now, what: `The quota ${name} has reached ${share} %`, key })
    }
  }

  #penalty({ event, key }: PenaltyMessage): void {
    if (event === 'applied') this.#events.add({ at: Date.now(), what: 'A penalty began', key })
  }

  #failed({ failure, store }: StoreErrorMessage): void {
    const now = Date.now()
    this.#health.failed(failure, store, now)
    this.#events.add({ at: now, what: `The store failed: ${failure}`, key: undefined })
  }

  #recovered({ lastedMs }: StoreRecoveredMessage): void {
    const seconds = Math.round(lastedMs / 1000)
    this.#events.add({
      at: Date.now(),
      what: `The store answers again, after ${seconds} s`,
      key: undefined,
    })
  }
}

/** A listener whose errors go nowhere. Node would end the process with an error of a listener. */
function quiet(listener: Listener): Listener {
  return message => {
    try {
      listener(message)
    } catch {
      // Another version of Halt in this process may send messages of another form.
    }
  }
}
