import { algorithmOf, type State } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { BoundedMap } from '../base/bounded-map.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import { nowMicros } from '../base/process-clock.ts'

const MAX_ENTRIES = 10_000
const MAX_RESTORED = 1_000

/** A key that was refused. */
interface Refusal {
  readonly demand: Demand
  /** The end of the refusal, by this process's clock in microseconds. */
  readonly until: number
  /** The units of a quota that were used when it refused; 0 for other counters. */
  readonly used: number
}

/** How to find out whether a store has lost a refused key, and to make it refuse the key again. */
interface Restoration {
  readonly peek: Group
  /** Whether the answer to the peek shows that the key is lost. */
  readonly isLost: (answer: Evaluation) => boolean
  readonly restore: Group
}

/** The keys that were refused last, and until when. A store that came back empty must not admit them. Bounded. */
export class RefusedKeys {
  readonly #entries = new BoundedMap<Refusal>(MAX_ENTRIES)

  set(demand: Demand, until: number, state: State): void {
    const key = keyOfDemand(demand)
    // A cost that can never pass tells of the cool-down alone.
    const isKnown = demand.cost > demand.rule.capacity && (this.#entries.get(key)?.until ?? 0) > until
    if (!isKnown) this.#entries.set(key, { demand, until, used: usedOf(demand, state) })
  }

  /** Changes the end of a refusal that is recorded. */
  prolong(subject: string, counter: string, until: number, state: State): void {
    const key = keyOf(subject, counter)
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#entries.set(key, { ...entry, until, used: usedOf(entry.demand, state) })
  }

  delete(subject: string, counter: string): void {
    if (this.#entries.size > 0) this.#entries.delete(keyOf(subject, counter))
  }

  /** The restorations of the keys that are still refused. Requests in flight are left out, because they end by themselves. */
  groups(): Restoration[] {
    const now = nowMicros()
    const groups: Restoration[] = []
    for (const [key, { demand, until, used }] of this.#entries) {
      const { isFlight, isQuota } = algorithmOf(demand.rule)
      if (until <= now) this.#entries.delete(key)
      else if (groups.length >= MAX_RESTORED || isFlight) continue
      else if (!isQuota)
        groups.push({ peek: peekOf(demand), isLost: isAllowed, restore: blockOf(demand, until - now) })
      else if (used > 0)
        groups.push({ peek: peekOf(demand), isLost: isGone(demand), restore: usageOf(demand, used) })
    }
    return groups
  }
}

function usedOf({ rule }: Demand, state: State): number {
  return algorithmOf(rule).isQuota ? (state[2] ?? 0) : 0
}

/** Asks for the cost that was refused. If that can never pass, nobody learns from it, so it asks for what a fresh counter admits. */
function peekOf(demand: Demand): Group {
  const cost = Math.min(demand.cost, demand.rule.capacity)
  return { demands: [{ ...demand, cost, mode: Mode.PEEK }] }
}

function isAllowed({ allowed }: Evaluation): boolean {
  return allowed
}

/**
 * Whether the counter of a quota does not exist. One that exists may admit the demand by now, because units were granted, given back or
 * held no longer. Nothing may refuse that until the period ends.
 */
function isGone({ rule }: Demand): Restoration['isLost'] {
  return ({ states, now }) => algorithmOf(rule).freshAt(states[0] ?? []) <= now
}

function blockOf(demand: Demand, cooldown: number): Group {
  const rule = { ...demand.rule, cooldown, reduced: undefined }
  return { demands: [{ ...demand, rule, mode: Mode.BLOCK, cost: 0, penalized: false }] }
}

/** Charges a quota again what was used of it. Only the first of several processes that do so is heard. */
function usageOf(demand: Demand, used: number): Group {
  const { subject, rule, edges } = demand
  const counter = `${rule.counter.slice(0, rule.counter.lastIndexOf(':'))}@restored:i`
  const idempotency = { subject, counter, window: rule.window, edges }
  return { demands: [{ ...demand, mode: Mode.SETTLE, cost: used, terms: undefined }], idempotency }
}
