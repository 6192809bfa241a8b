import type { StoreClock } from '../store/store-clock.ts'
import { algorithmOf, type State } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { Counters } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import { PENALTY_COUNTER } from '../store/beside-demands.ts'
import type { KnownCounter, LastKnown } from './last-known.ts'
import { nowMicros } from '../base/event-loop.ts'

// Microseconds. A refusal is remembered no longer than this, because another process may reset the key.
const MAX_AGE = 1e6

/**
 * Refuses checks from the last known state of their counters, so that an attack costs the store one command per second and key
 * instead of one per request.
 *
 * It runs the store's own loop over that state, at the current instant of the store's clock. It answers only with a refusal
 * that changes nothing, which the store would give as well. The store is called in all other cases: the check would pass, start
 * a cool-down or score a violation; the state of a counter is unknown or a call about it is in flight; or only quotas or
 * requests in flight refuse, because their end cannot be known here.
 */
export class RefusalCache {
  readonly #lastKnown: LastKnown
  readonly #clock: StoreClock
  readonly #counters: Counters
  // Collected while one group is examined. Groups cannot overlap, because nothing here is asynchronous.
  // perf: bench "limiter.consume, denied"; a counter is looked up once.
  readonly #subjects: string[] = []
  readonly #names: string[] = []
  readonly #found: KnownCounter[] = []
  #count = 0
  #isKnown = true
  #isRefusing = false
  #oldest = 0
  #offset = 0
  #isKept = false

  constructor(lastKnown: LastKnown, clock: StoreClock) {
    this.#lastKnown = lastKnown
    this.#clock = clock
    this.#counters = {
      load: (subject, counter) => this.#load(subject, counter),
      keep: () => void (this.#isKept = true),
    }
  }

  /**
   * Returns the refusal that still holds for a group. Otherwise marks the group's counters as being in a call to the store.
   */
  find(group: Group): Evaluation | undefined {
    const lastKnown = this.#lastKnown
    if (!lastKnown.hasRefused) return undefined
    const number = lastKnown.nextCall()
    this.#count = 0
    this.#isKnown = group.idempotency === undefined
    this.#isRefusing = false
    this.#oldest = Number.POSITIVE_INFINITY
    this.#offset = Number.NEGATIVE_INFINITY
    const { demands, penalty } = group
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i] as Demand
      const { subject, rule } = demand
      const known = lastKnown.get(subject, rule.counter)
      this.#note(subject, rule.counter, known, number)
      // A caller that waits, or takes less, is not refused as others are.
      if (demand.terms !== undefined) this.#isKnown = false
      if (known !== undefined && known.refusedUntil > 0 && demand.mode === Mode.CHARGE)
        this.#isRefusing = true
    }
    if (penalty !== undefined) {
      const known = lastKnown.get(penalty.subject, PENALTY_COUNTER)
      this.#note(penalty.subject, PENALTY_COUNTER, known, number)
    }
    if (!this.#isKnown || !this.#isRefusing) return undefined
    const now = this.#clock.ifKnown() ?? nowMicros() - this.#offset
    if (now - this.#oldest < MAX_AGE) {
      this.#isKept = false
      const evaluation = decide(group, this.#counters, now)
      if (!evaluation.allowed && !this.#isKept && hasKnownEnd(group, evaluation)) return evaluation
    }
    lastKnown.beginCall(group)
    return undefined
  }

  #note(subject: string, counter: string, known: KnownCounter | undefined, number: number): void {
    if (known === undefined) {
      this.#isKnown = false
      return
    }
    const at = this.#count++
    this.#subjects[at] = subject
    this.#names[at] = counter
    this.#found[at] = known
    if (known.lastReply < known.lastCall) this.#isKnown = false
    if (known.decidedAt < this.#oldest) this.#oldest = known.decidedAt
    // Each cluster node has its own clock. Use the one that is furthest behind, so that no wait gets shorter.
    if (known.offset > this.#offset) this.#offset = known.offset
    known.lastCall = number
  }

  #load(subject: string, counter: string): State {
    let at = 0
    while (this.#subjects[at] !== subject || this.#names[at] !== counter) at++
    const known = this.#found[at] as KnownCounter
    // The store is not called after all.
    known.lastCall = known.lastReply
    return [...known.state]
  }
}

/**
 * Whether an enforced demand is refused with a known end. The end is unknown for quotas, which can be granted more, and for
 * requests in flight, which can be released.
 */
function hasKnownEnd({ demands }: Group, { passes }: Evaluation): boolean {
  return demands.some(({ mode, rule }, i) => {
    if (mode !== Mode.CHARGE || passes[i] === true) return false
    const { isFlight, isQuota } = algorithmOf(rule)
    return !isFlight && !isQuota
  })
}
