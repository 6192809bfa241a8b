import { type CompiledPolicy, type Decision, type Explanation, type Policy, RateLimiter } from '@halt/core'
import { guard, type Guard, type Outcome } from '@halt/core/http'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'

import type { Arrival } from './arrival.ts'
import { History } from './history.ts'
import { LASTS, type PlayPolicy } from './setup.ts'

/** What happened to one client. */
export interface ClientCount {
  readonly client: string
  admitted: number
  refused: number
  /** The client's last request, and the answer to it. */
  last: Arrival
  outcome: Outcome
}

/** One limiter that gets the traffic: the packages as they are shipped, with a clock that the page moves. */
export class Side {
  history: History = new History(1)
  readonly policies: readonly CompiledPolicy[]
  /** By client, in the order in which they came. */
  readonly clients: Map<string, ClientCount> = new Map<string, ClientCount>()
  admitted = 0
  refused = 0
  /** The number of the first refused request, counted from 1; 0 while none was refused. */
  firstRefusal = 0
  readonly #limiter: RateLimiter
  readonly #clock: ManualClock
  readonly #guard: Guard
  /** Microseconds. */
  readonly #lasts: number
  /** The requests in flight that a policy counts, in the order in which they end. */
  readonly #running: { readonly end: number; readonly decision: Decision }[] = []
  readonly #countsRunning: boolean
  #now = 0

  /**
   * @param lasts how long a request is in flight, in seconds
   * @throws HaltError if a policy is wrong
   */
  constructor(policies: readonly PlayPolicy[], start: number, lasts: number = LASTS) {
    this.#lasts = lasts * 1e6
    this.#countsRunning = policies.some(({ algorithm }) => algorithm === 'concurrency')
    this.#clock = new ManualClock(start)
    const store = new InMemoryStore({ maxKeys: 100_000, clock: this.#clock.now })
    // The addresses of a pasted log may be private ones.
    const options = { exemptPrivateIps: false, instances: 1, warn: () => {} }
    this.#limiter = new RateLimiter({ store, policy: policies as readonly Policy[], ...options })
    this.#guard = guard(this.#limiter, {})
    this.policies = this.#limiter.policies
  }

  /** The longest window in microseconds. */
  get longest(): number {
    return Math.max(...this.policies.map(({ window }) => window))
  }

  /** Keeps the counts of the last `span` microseconds. */
  keep(span: number): void {
    this.history = new History(span)
  }

  /** Decides a request at its instant. */
  take(arrival: Arrival): void {
    this.advance(arrival.at)
    // A store in this process and fixed policies decide at once.
    const outcome = this.#guard.enter(arrival.view) as Outcome
    this.history.add(arrival.at, outcome.pass)
    const count = this.#countOf(arrival, outcome)
    if (outcome.pass) {
      this.admitted++
      count.admitted++
      if (this.#countsRunning && outcome.decision !== undefined)
        this.#running.push({ end: arrival.at + this.#lasts, decision: outcome.decision })
      return
    }
    this.refused++
    count.refused++
    if (this.firstRefusal === 0) this.firstRefusal = this.admitted + 1
  }

  /** Moves the clock to an instant, in microseconds since the start. Requests end on the way, each at its own instant. */
  advance(now: number): void {
    for (let next = this.#running[0]; next !== undefined && next.end <= now; next = this.#running[0]) {
      this.#running.shift()
      this.#moveTo(next.end)
      // A store in this process gives the place back at once.
      void this.#limiter.release(next.decision)
    }
    this.#moveTo(now)
  }

  #moveTo(now: number): void {
    if (now > this.#now) this.#clock.advance((now - this.#now) / 1e6)
    this.#now = Math.max(this.#now, now)
  }

  /** Explains what would happen to the next request of a client. It charges nothing. */
  explain({ view }: Arrival): Promise<Explanation> {
    return this.#limiter.explain(view)
  }

  #countOf(last: Arrival, outcome: Outcome): ClientCount {
    const { client } = last
    let count = this.clients.get(client)
    if (count === undefined)
      this.clients.set(client, (count = { client, admitted: 0, refused: 0, last, outcome }))
    count.last = last
    count.outcome = outcome
    return count
  }
}
