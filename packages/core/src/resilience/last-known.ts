import { type State, blockedUntil } from '../algorithms/index.ts'
import { keptIn, PairMemo } from '../base/bounded-memory.ts'
import { nowMicros } from '../base/event-loop.ts'
import { type CounterId, type Demand, type Group, Mode, type Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { PENALTY_COUNTER } from '../store/beside-demands.ts'
import { evaluationAt, penaltyUntil, waitFor } from '../store/reading.ts'
import { Blocks } from './blocks.ts'

/** The last known state of one counter in the store. */
export interface KnownCounter {
  readonly state: number[]
  /** The store's clock at that state, in microseconds; 0 when the counter was reset since. */
  decidedAt: number
  /** How far this process's clock is ahead of the store's clock, in microseconds. */
  offset: number
  /** Until when the last refused request stays refused, by this process's clock in microseconds; 0 when it was allowed. */
  refusedUntil: number
  /** The number of the last call about the counter that was sent. */
  lastCall: number
  /** The number of the last call about the counter that was answered. */
  lastReply: number
  /** Replies to calls before this number are ignored, because the counter was reset. */
  validFrom: number
}

// Microseconds. A reply that overtook another one is newer by less than this. A larger step back means that the store's
// clock was set.
const MAX_REORDERING = 60e6

/** Records that a call was answered. Returns whether the reply is newer than the known state. */
function isNewer(known: KnownCounter, at: number, call: number): boolean {
  if (call > known.lastReply) known.lastReply = call
  if (call < known.validFrom) return false
  const lead = known.decidedAt - at
  return lead <= 0 || lead > MAX_REORDERING
}

/** How long an observation counts, in microseconds. Older ones are dropped, because clocks drift and servers fail over. */
const WINDOW = 30e6

/**
 * How far this process's clock is ahead of the store's clock, in microseconds.
 *
 * A reply can arrive late but never early, so the smallest recent difference is the best estimate. With it, a late reply counts
 * from the instant at which the store gave it.
 */
export class ClockOffset {
  #smallest = Number.POSITIVE_INFINITY
  #next = Number.POSITIVE_INFINITY
  #rotatesAt = 0

  /** The current estimate; 0 before the first reply. */
  get value(): number {
    return this.#smallest === Number.POSITIVE_INFINITY ? 0 : this.#smallest
  }

  /**
   * Observes a reply and returns the new estimate.
   *
   * @param now this process's clock, in microseconds
   * @param instant the store's clock at the decision, in microseconds
   */
  observe(now: number, instant: number): number {
    const offset = now - instant
    if (now >= this.#rotatesAt) {
      this.#smallest = now >= this.#rotatesAt + WINDOW ? offset : this.#next
      this.#next = offset
      this.#rotatesAt = now + WINDOW
    }
    if (offset < this.#next) this.#next = offset
    if (offset < this.#smallest) this.#smallest = offset
    return this.#smallest
  }
}

const MAX_ENTRIES = 50_000

/**
 * The last known state of each counter of a store, over all limiters of this process. It serves remembered refusals, and the
 * fallback while the store is unavailable. Bounded.
 */
export class LastKnown {
  /** Whether the store has ever refused anything. */
  hasRefused = false
  /** Cool-downs and penalties, which a store that has lost them must get back. */
  readonly blocks: Blocks
  readonly #known = new PairMemo<KnownCounter>(MAX_ENTRIES)
  readonly #offset = new ClockOffset()
  #number = 0

  constructor(store: Store) {
    this.blocks = new Blocks(store)
  }

  /** How far this process's clock is ahead of the store's, in microseconds. At least the true difference. */
  get offset(): number {
    return this.#offset.value
  }

  get(subject: string, counter: string): KnownCounter | undefined {
    return this.#known.get(counter, subject)
  }

  /** Gives the number of a new call to the store. */
  nextCall(): number {
    return ++this.#number
  }

  /** Marks the counters of a group as being in a call. Their state is unknown until the reply comes. */
  beginCall({ demands, penalty }: Group): number {
    const number = this.nextCall()
    if (!this.hasRefused) return number
    for (const { subject, rule } of demands) this.#noteCall(subject, rule.counter, number)
    if (penalty !== undefined) this.#noteCall(penalty.subject, PENALTY_COUNTER, number)
    return number
  }

  /**
   * Keeps the states of an evaluation.
   *
   * @param call the number of the call
   * @param sent this process's clock at the call, in microseconds
   * @param corrects whether the group is a correction. The store is then asked again whether it refuses
   */
  remember(group: Group, whole: Evaluation, call: number, sent: number, corrects = false): void {
    const now = nowMicros()
    const { demands, penalty } = group
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i] as Demand
      const { subject, rule, mode } = demand
      const evaluation = evaluationAt(whole, i)
      const known = this.#known.get(rule.counter, subject)
      if (known !== undefined && !isNewer(known, evaluation.now, call)) continue
      const localInstant = this.#localInstant(evaluation.now, now, sent)
      const state = evaluation.states[i] ?? []
      const passed = evaluation.passes[i] === true
      const until = corrects || passed ? 0 : refusedUntilOf(demand, state, evaluation, localInstant)
      if (until > 0) this.hasRefused = true
      // A block that this process has ended was not lost.
      if (mode === Mode.BLOCK && rule.cooldown === 0) this.blocks.delete(subject, rule.counter)
      else this.blocks.note(demand, localInstant + blockedUntil(state) - evaluation.now, localInstant)
      // A correction alone makes no counter known, but a client that was blocked stays so without the store.
      if (corrects && known === undefined && blockedUntil(state) <= evaluation.now) continue
      this.#update(subject, rule.counter, known, state, evaluation.now, localInstant, until, call)
    }
    if (penalty === undefined || corrects) return
    const { subject } = penalty
    const known = this.#known.get(PENALTY_COUNTER, subject)
    if (known !== undefined && !isNewer(known, whole.now, call)) return
    const localInstant = this.#localInstant(whole.now, now, sent)
    this.blocks.note(penalty, localInstant + penaltyUntil(whole) - whole.now, localInstant)
    // Keep a new penalty only after a refusal, because only remembered refusals read it.
    if (known === undefined && whole.allowed) return
    this.#update(subject, PENALTY_COUNTER, known, whole.penalty, whole.now, localInstant, 0, call)
  }

  /** Forgets counters after a reset. Replies still in flight are ignored, because they report the state before it. */
  forget(counters: readonly CounterId[]): void {
    const number = this.nextCall()
    const offset = this.#offset.value
    for (const { subject, counter } of counters) {
      this.blocks.delete(subject, counter)
      this.#known.set(counter, subject, {
        state: [],
        decidedAt: 0,
        offset,
        refusedUntil: 0,
        lastCall: number,
        lastReply: number,
        validFrom: number,
      })
    }
  }

  #noteCall(subject: string, counter: string, number: number): void {
    const known = this.#known.get(counter, subject)
    if (known !== undefined) known.lastCall = number
  }

  /**
   * When the store decided, by this process's clock. Never before the call was sent, because each cluster node has its own
   * clock.
   */
  #localInstant(instant: number, now: number, sent: number): number {
    const localInstant = instant + this.#offset.observe(now, instant)
    return localInstant < sent ? sent : localInstant
  }

  // perf: bench "limiter.consume"; updated in place, because one long-lived object per request costs more in GC than the
  // request itself.
  #update(
    subject: string,
    counter: string,
    known: KnownCounter | undefined,
    state: State,
    decidedAt: number,
    localInstant: number,
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
        lastCall,
        lastReply: call,
        validFrom,
      }
      if (known !== undefined && known.lastReply > call) fresh.lastReply = known.lastReply
      return this.#known.set(counter, subject, fresh)
    }
    for (let i = 0; i < state.length; i++) known.state[i] = state[i] as number
    known.decidedAt = decidedAt
    known.offset = offset
    known.refusedUntil = refusedUntil
  }
}

// One per store, because what one limiter learns is true for the others.
const byStore = new WeakMap<Store, LastKnown>()

/** The last known states of a store's counters, shared by all limiters of the store. */
export function lastKnownOf(store: Store): LastKnown {
  return keptIn(byStore, store, () => new LastKnown(store))
}

/**
 * Until when a demand stays refused, by this process's clock in microseconds; 0 when that is not worth remembering, or the end is
 * unknown. A cost that can never pass is refused for ever, but its key only for its cool-down.
 */
function refusedUntilOf(demand: Demand, state: State, evaluation: Evaluation, localInstant: number): number {
  const { mode, terms } = demand
  if ((mode !== Mode.CHARGE && mode !== Mode.DEFER && mode !== Mode.PEEK) || terms !== undefined) return 0
  const whole = waitFor(demand, state, evaluation)
  const wait = whole === Number.POSITIVE_INFINITY ? blockedUntil(state) - evaluation.now : whole
  return wait > 0 ? localInstant + wait : 0
}
