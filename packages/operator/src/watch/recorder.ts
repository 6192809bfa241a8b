import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { TopKeys } from '@halt/control'
import type {
  Decision,
  DecisionMessage,
  LineMessage,
  PenaltyMessage,
  QuotaMessage,
  StoreErrorMessage,
  StoreRecoveredMessage,
} from '@halt/core'

import { Companions, type CountedUnder } from './companions.ts'
import { Events } from './events.ts'
import { Health } from './health.ts'
import { Lines } from './lines.ts'
import type { ProcessNumbers } from './report.ts'
import { Tallies } from './tallies.ts'
import { HOUR, MINUTES, Timeline } from './timeline.ts'

type Listener = (message: unknown) => void

/** How many keys are shown, by each count. */
export const MOST_KEYS = 10
/** How many keys are counted, of each policy and by each count. */
const COUNTED_KEYS = 200
/** Of how many allowed requests one is looked at while nobody watches. */
const PASSED_PER_SAMPLE = 16
/** How many policies are shown. */
const MOST_POLICIES = 20

/**
 * Counts the decisions of this process in bounded memory, so that who opens the page sees the last hour: how many, and who was refused.
 * It listens to the channels of Halt, and tells nobody. The most used keys are counted while somebody watches.
 */
export class Recorder {
  readonly #since = Date.now()
  readonly #timelines = [new Timeline(MINUTES), new Timeline(HOUR)] as const
  readonly #companions = new Companions()
  /** Whether somebody watches, so that every request tells its keys. */
  isWatched = false
  #passed = 0
  readonly #tallies = new Tallies()
  readonly #topKeys = new TopKeys({ counters: COUNTED_KEYS })
  readonly #health: Health
  readonly #events = new Events()
  readonly #lines = new Lines()
  readonly #listeners: readonly (readonly [string, Listener])[]

  /** @param kind the kind of the store, until a decision tells it */
  constructor(kind: string) {
    this.#health = new Health(kind, this.#since)
    this.#listeners = [
      ['halt:decision', quiet(message => this.#decided(message as DecisionMessage))],
      ['halt:quota', quiet(message => this.#quota(message as QuotaMessage))],
      ['halt:penalty', quiet(message => this.#penalty(message as PenaltyMessage))],
      ['halt:line', quiet(message => this.#lines.note(message as LineMessage, Date.now()))],
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
  read(now: number): Omit<ProcessNumbers, 'waiting' | 'counted' | 'shedders'> {
    const { used, refused } = this.#topKeys.local(MOST_KEYS)
    return {
      now,
      since: this.#since,
      counts: this.#timelines[0].read(now),
      hour: this.#timelines[1].read(now),
      policies: this.#tallies.read(now).slice(0, MOST_POLICIES),
      used: used.slice(0, MOST_KEYS),
      refused: refused.slice(0, MOST_KEYS),
      store: this.#health.read(),
      events: this.#events.read(),
      lines: this.#lines.read(),
    }
  }

  #decided({ key, decision, metadata }: DecisionMessage): void {
    const now = Date.now()
    if (metadata.outcome === 'exempt') return this.#count('exempt', now)
    this.#count(decision.allowed ? 'allowed' : 'refused', now)
    if (metadata.degraded !== false) this.#count('degraded', now)
    this.#health.decided(metadata.degraded, metadata.store, metadata.durationMs, now)
    // Most requests pass while nobody watches. Of them, one in sixteen tells its keys, so that they cost next to nothing.
    if (decision.allowed && !this.isWatched && this.#passed++ % PASSED_PER_SAMPLE !== 0) return
    // Where an operator has blocked the client, its verdict holds no number of a counter.
    if (decision.counted === false && decision.reason === 'blocked')
      return this.#topKeys.onCheck(key, BLOCKED, { ...metadata, policy: '(blocked by an operator)' })
    if (decision.counted !== false) {
      const { verdicts } = decision
      this.#companions.note(verdicts, now)
      for (const verdict of verdicts) this.#tallies.count(verdict, now)
    }
    if (this.isWatched || !decision.allowed) this.#topKeys.onCheck(key, decision, metadata)
  }

  /** The other keys on which requests of a client were counted lately. */
  countedUnder(client: string): readonly CountedUnder[] {
    return this.#companions.of(client)
  }

  /** The same for a client that a token names. */
  countedUnderToken(token: string): readonly CountedUnder[] {
    return this.#companions.ofToken(token)
  }

  #count(series: 'allowed' | 'refused' | 'exempt' | 'degraded', now: number): void {
    for (const timeline of this.#timelines) timeline.count(series, now)
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
    this.#health.recovered(Date.now())
    this.#events.add({
      at: Date.now(),
      what: `The store answers again, after ${seconds} s`,
      key: undefined,
    })
  }
}

/** A refusal that no policy made, as the counts of keys read it. */
const BLOCKED = { allowed: false, verdicts: [] } as unknown as Decision

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
