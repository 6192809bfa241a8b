import type { StoreClock } from '../store/store-clock.ts'
import { algorithmOf, type State } from '../algorithms/index.ts'
import { type Demand, type Group, Mode, type Evaluation } from '../store/contract.ts'
import { type Counters, decide, PENALTY_COUNTER } from '../store/decide.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import type { KnownCounter, LastKnown } from './last-known.ts'
import { nowMicros } from '../base/process-clock.ts'

// Another process may reset the key: a denial is asked for again after this long, microseconds.
const MAX_AGE = 1e6

/**
 * Refuses by what the store said last of a group's counters, so that an attack costs the store one command a second and
 * key, not one a request.
 *
 * It runs the store's own loop over those counters, at the present instant of the store's clock, and answers only what the
 * store would answer: a refusal that changes nothing. What would pass, start a cool-down or score a violation is asked
 * for; so is a group of which a counter is not known, or is being asked for just now, and what only quotas or requests in
 * flight refuse, whose end nobody can tell.
 */
export class RefusalCache {
  readonly #lastKnown: LastKnown
  readonly #clock: StoreClock
  readonly #counters: Counters
  // What is gathered while a group is looked at: one at a time, since nothing here waits.
  #isKnown = true
  #isRefusing = false
  #oldest = 0
  #offset = 0
  #isKept = false

  constructor(lastKnown: LastKnown, clock: StoreClock) {
    this.#lastKnown = lastKnown
    this.#clock = clock
    this.#counters = {
      load: (subject, counter) => this.#load(keyOf(subject, counter)),
      keep: () => void (this.#isKept = true),
    }
  }

  /** The refusal that still holds for a group; else notes that the store is being asked. */
  find(group: Group): Evaluation | undefined {
    const lastKnown = this.#lastKnown
    if (!lastKnown.hasRefused) return undefined
    const number = lastKnown.nextCall()
    this.#isKnown = group.idempotency === undefined
    this.#isRefusing = false
    this.#oldest = Number.POSITIVE_INFINITY
    this.#offset = Number.NEGATIVE_INFINITY
    const { demands, penalty } = group
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i] as Demand
      const known = lastKnown.get(keyOfDemand(demand))
      this.#note(known, number)
      if (known !== undefined && known.refusedUntil > 0 && demand.mode === Mode.CHARGE)
        this.#isRefusing = true
    }
    if (penalty !== undefined) this.#note(lastKnown.get(keyOf(penalty.subject, PENALTY_COUNTER)), number)
    if (!this.#isKnown || !this.#isRefusing) return undefined
    const evaluation = this.#reevaluate(group)
    if (evaluation === undefined) lastKnown.beginCall(group)
    return evaluation
  }

  #note(known: KnownCounter | undefined, number: number): void {
    if (known === undefined) {
      this.#isKnown = false
      return
    }
    if (known.lastReply < known.lastCall) this.#isKnown = false
    if (known.decidedAt < this.#oldest) this.#oldest = known.decidedAt
    // On a cluster each node has its clock: the one that is furthest behind shortens no wait.
    if (known.offset > this.#offset) this.#offset = known.offset
    known.lastCall = number
  }

  #reevaluate(group: Group): Evaluation | undefined {
    const now = this.#clock.told() ?? nowMicros() - this.#offset
    if (now - this.#oldest >= MAX_AGE) return undefined
    this.#isKept = false
    const evaluation = decide(group, this.#counters, now)
    return evaluation.allowed || this.#isKept || !hasKnownEnd(group, evaluation) ? undefined : evaluation
  }

  #load(key: string): State {
    const known = this.#lastKnown.get(key) as KnownCounter
    // Nobody is asked after all.
    known.lastCall = known.lastReply
    return [...known.state]
  }
}

/** Whether an enforced demand is refused whose end is known: a quota can be granted more, and a place in flight released. */
function hasKnownEnd({ demands }: Group, { passes }: Evaluation): boolean {
  return demands.some(({ mode, rule }, i) => {
    if (mode !== Mode.CHARGE || passes[i] === true) return false
    const { isFlight, isQuota } = algorithmOf(rule)
    return !isFlight && !isQuota
  })
}
