import type { State } from '../algorithms/index.ts'
import { Memo } from '../base/memo.ts'
import {
  type CounterId,
  type Demand,
  type Group,
  Mode,
  type Store,
  type Evaluation,
} from '../store/contract.ts'
import { PENALTY_COUNTER } from '../store/decide.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import { evaluationAt, waitFor } from '../store/reading.ts'
import { ClockOffset } from './clock-offset.ts'
import { nowMicros } from '../base/process-clock.ts'
import type { RefusedKeys } from './refused-keys.ts'

/** What the store said last of a counter. */
export interface KnownCounter {
  readonly state: number[]
  /** The store's clock when it said so, microseconds; 0 when the counter was reset since. */
  decidedAt: number
  /** What the store's clock is behind this process's, microseconds. */
  offset: number
  /** Until when its last request is known to be refused, by this process's clock; 0 when it was not. */
  refusedUntil: number
  /** That request. */
  refusedDemand: Demand | undefined
  /** The number of the last question about it that was sent. */
  lastCall: number
  /** The number of the last question about it that was answered. */
  lastReply: number
  /** Answers to questions before this one say nothing any more: the counter was reset. */
  validFrom: number
}

const MAX_ENTRIES = 50_000
// An answer that overtook another is at most so much newer. A store's clock that went back by more was set.
const MAX_REORDERING = 60e6

/**
 * What a store said last of each counter, whoever asked it in this process: for refusals that need not be asked for again,
 * and for the time when the store says nothing. Bounded.
 */
export class LastKnown {
  /** Whether the store has ever refused anything. */
  hasRefused = false
  readonly #known = new Memo<KnownCounter>(MAX_ENTRIES)
  readonly #offset = new ClockOffset()
  #number = 0

  /** What is known of a counter. */
  get(key: string): KnownCounter | undefined {
    return this.#known.get(key)
  }

  /** Numbers a new question. */
  nextCall(): number {
    return ++this.#number
  }

  /** Notes that a group is being asked for: until the answer comes nobody can tell how its counters stand. */
  beginCall({ demands, penalty }: Group): number {
    const number = this.nextCall()
    if (!this.hasRefused) return number
    for (const demand of demands) this.#noteCall(keyOfDemand(demand), number)
    if (penalty !== undefined) this.#noteCall(keyOf(penalty.subject, PENALTY_COUNTER), number)
    return number
  }

  /**
   * Keeps what the store said.
   *
   * @param asked the number of the question
   * @param sent this process's clock when it was asked, microseconds
   * @param refused who is to be refused again by a store that comes back empty
   */
  remember(group: Group, whole: Evaluation, call: number, sent: number, refused?: RefusedKeys): void {
    const now = nowMicros()
    const { demands, penalty } = group
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i] as Demand
      const evaluation = evaluationAt(whole, i)
      const key = keyOfDemand(demand)
      const known = this.#known.get(key)
      if (known !== undefined && !isNewer(known, evaluation.now, call)) continue
      const localInstant = this.#localInstant(evaluation.now, now, sent)
      const state = evaluation.states[i] ?? []
      const passed = evaluation.passes[i] === true
      const until =
        passed || !checksLimit(demand) ? 0 : refusedUntilOf(demand, state, evaluation, localInstant)
      if (until > 0) this.hasRefused = true
      // A look changes nothing of what is known of those who asked.
      if (passed) refused?.delete(key)
      else if (demand.mode === Mode.CHARGE) refused?.set(key, demand, until)
      this.#update(
        key,
        known,
        state,
        evaluation.now,
        localInstant,
        until > 0 ? demand : undefined,
        until,
        call,
      )
    }
    if (penalty === undefined) return
    const key = keyOf(penalty.subject, PENALTY_COUNTER)
    const known = this.#known.get(key)
    // Only a refusal is ever read again.
    if (known === undefined ? whole.allowed : !isNewer(known, whole.now, call)) return
    const localInstant = this.#localInstant(whole.now, now, sent)
    this.#update(key, known, whole.penalty, whole.now, localInstant, undefined, 0, call)
  }

  /** Keeps what the store said of a correction: who is refused stays so, unless enough was given back. */
  rememberCorrection(
    { demands }: Group,
    whole: Evaluation,
    call: number,
    sent: number,
    refused?: RefusedKeys,
  ): void {
    const now = nowMicros()
    for (let i = 0; i < demands.length; i++) {
      const key = keyOfDemand(demands[i] as Demand)
      const known = this.#known.get(key)
      const evaluation = evaluationAt(whole, i)
      // Of a store that answers at once nothing is remembered.
      if (known === undefined || !isNewer(known, evaluation.now, call)) continue
      const localInstant = this.#localInstant(evaluation.now, now, sent)
      const state = evaluation.states[i] ?? []
      const { refusedDemand: demand } = known
      const until = demand === undefined ? 0 : refusedUntilOf(demand, state, evaluation, localInstant)
      if (until > 0) refused?.prolong(key, until)
      else refused?.delete(key)
      this.#update(
        key,
        known,
        state,
        evaluation.now,
        localInstant,
        until > 0 ? demand : undefined,
        until,
        call,
      )
    }
  }

  /** Forgets counters that are reset: of the answers that are on their way none says how they stand. */
  forget(counters: readonly CounterId[]): void {
    const number = this.nextCall()
    const offset = this.#offset.value
    for (const { subject, counter } of counters)
      this.#known.set(keyOf(subject, counter), {
        state: [],
        decidedAt: 0,
        offset,
        refusedUntil: 0,
        refusedDemand: undefined,
        lastCall: number,
        lastReply: number,
        validFrom: number,
      })
  }

  #noteCall(key: string, number: number): void {
    const known = this.#known.get(key)
    if (known !== undefined) known.lastCall = number
  }

  /** When the store decided, by this process's clock. Not before it was asked: the nodes of a cluster have clocks of their own. */
  #localInstant(instant: number, now: number, sent: number): number {
    const localInstant = instant + this.#offset.observe(now, instant)
    return localInstant < sent ? sent : localInstant
  }

  // Written over, not made anew: what outlives a request costs the collector more than the request costs otherwise.
  #update(
    key: string,
    known: KnownCounter | undefined,
    state: State,
    decidedAt: number,
    localInstant: number,
    refusedDemand: Demand | undefined,
    refusedUntil: number,
    call: number,
  ): void {
    const offset = localInstant - decidedAt
    if (known === undefined || known.state.length !== state.length) {
      const { lastCall = call, validFrom = 0 } = known ?? {}
      const fresh = {
        state: [...state],
        decidedAt,
        offset,
        refusedUntil,
        refusedDemand,
        lastCall,
        lastReply: call,
        validFrom,
      }
      if (known !== undefined && known.lastReply > call) fresh.lastReply = known.lastReply
      return this.#known.set(key, fresh)
    }
    for (let i = 0; i < state.length; i++) known.state[i] = state[i] as number
    known.decidedAt = decidedAt
    known.offset = offset
    known.refusedUntil = refusedUntil
    known.refusedDemand = refusedDemand
  }
}

// One for all who ask a store: what one of them is told counts for the others, too.
const byStore = new WeakMap<Store, LastKnown>()

/** What is known of the counters of a store. */
export function lastKnownOf(store: Store): LastKnown {
  let lastKnown = byStore.get(store)
  if (lastKnown === undefined) byStore.set(store, (lastKnown = new LastKnown()))
  return lastKnown
}

/** Notes that a question was answered, and tells whether the answer is newer than what is known. */
function isNewer(known: KnownCounter, at: number, call: number): boolean {
  if (call > known.lastReply) known.lastReply = call
  if (call < known.validFrom) return false
  const lead = known.decidedAt - at
  return lead <= 0 || lead > MAX_REORDERING
}

/** Whether a demand is judged by its limit. */
function checksLimit({ mode }: Demand): boolean {
  return mode === Mode.CHARGE || mode === Mode.PEEK
}

/** Until when a demand is known to be refused, by this process's clock; 0 when it is not, or nobody can tell. */
function refusedUntilOf(demand: Demand, state: State, evaluation: Evaluation, localInstant: number): number {
  const wait = waitFor(demand, state, evaluation)
  return wait > 0 && wait < Number.POSITIVE_INFINITY ? localInstant + wait : 0
}
