import { penalty as penalties } from '../algorithms/index.ts'
import { Recent } from '../recent.ts'
import { keyOf, keyOfDemand } from '../store/key.ts'
import {
  type Cell,
  type Demand,
  type Group,
  Mode,
  PenaltyMode,
  type Store,
  type Verdict,
} from '../store/contract.ts'
import { PENALTY_CELL } from '../store/decide.ts'
import { verdictAt, waitFor } from '../store/read.ts'

interface Denial {
  readonly group: Group
  readonly verdict: Verdict
  /** This process's clock when the verdict came, or when it was forgotten, milliseconds. */
  readonly at: number
  /** For how long that very demand is refused, milliseconds. */
  readonly lasts: number
  readonly cost: number
}

const REMEMBERED = 10_000
// Another process may reset the key: a denial is asked for again after this long.
const MOST_MS = 1_000
const clock = performance.now.bind(performance)

/**
 * Remembers who was refused until when, so that an attack costs the store one command a second and key, not one a
 * request. Never for quotas and requests in flight, whose end nobody can tell; a smaller cost asks for itself.
 */
export class Denials {
  readonly #denials = new Recent<Denial>(REMEMBERED)
  #any = false

  /** The verdict that still holds for a group; undefined when the store is to be asked. */
  find(group: Group): Verdict | undefined {
    if (!this.#any || group.once !== undefined) return undefined
    for (const demand of group.demands) {
      if (demand.mode !== Mode.CHARGE) continue
      const denial = this.#denials.get(keyOfDemand(demand))
      if (denial === undefined) continue
      const age = clock() - denial.at
      if (age >= denial.lasts || demand.cost < denial.cost || !isSame(denial.group, group, demand)) continue
      if (this.#isOutdated(denial)) continue
      // The same counters, judged at the present instant.
      const later = Math.floor(age * 1000)
      const { now, instants } = denial.verdict
      const verdict = {
        ...denial.verdict,
        now: now + later,
        instants: instants?.map(instant => instant + later),
        starts: [],
      }
      return isToBeScored(group, verdict) ? undefined : verdict
    }
    return undefined
  }

  /** Keeps a refusal. */
  keep(group: Group, verdict: Verdict): void {
    if (verdict.allowed || verdict.repeated) return
    for (const [i, demand] of group.demands.entries()) {
      if (demand.mode !== Mode.CHARGE || verdict.passes[i] === true || isUncertain(demand)) continue
      const wait = waitFor(demand, verdict.states[i] ?? [], verdictAt(verdict, i))
      if (wait === Number.POSITIVE_INFINITY) continue
      const lasts = Math.min(wait / 1000, MOST_MS)
      this.#denials.set(keyOfDemand(demand), { group, verdict, at: clock(), lasts, cost: demand.cost })
      this.#any = true
    }
  }

  /** Forgets what is known of some counters: they were reset or settled. */
  forget(cells: readonly Cell[]): void {
    if (!this.#any) return
    const forgotten: Denial = { group: NOTHING, verdict: NEVER, at: clock(), lasts: 0, cost: 0 }
    for (const { subject, cell } of cells) this.#denials.set(keyOf(subject, cell), forgotten)
  }

  /** Whether the penalty that it was judged under was changed since. */
  #isOutdated({ group, at }: Denial): boolean {
    if (group.penalty === undefined) return false
    const changed = this.#denials.get(keyOf(group.penalty.subject, PENALTY_CELL))
    return changed !== undefined && changed.at >= at
  }
}

// One for all who ask a store: what one of them resets, the others do not go on refusing.
const byStore = new WeakMap<Store, Denials>()

/** The denials of a store. */
export function denialsOf(store: Store): Denials {
  let denials = byStore.get(store)
  if (denials === undefined) byStore.set(store, (denials = new Denials()))
  return denials
}

const NOTHING: Group = Object.freeze({ demands: Object.freeze([]) })
const NEVER = Object.freeze({ penalty: Object.freeze([]) }) as unknown as Verdict

// Once its cool-down is over, a refusal is a new violation: the store has to know.
function isToBeScored({ penalty }: Group, verdict: Verdict): boolean {
  return penalty?.mode === PenaltyMode.WATCH && penalties.scores(verdict.penalty, verdict.now, penalty.rule)
}

function isUncertain({ rule }: Demand): boolean {
  return rule.letter === 'c' || rule.letter === 'q'
}

// By identity of the rules: a changed policy is a new one. Another cost of the others may be refused, too, or let in.
function isSame(
  { demands: before, penalty }: Group,
  { demands: now, penalty: other }: Group,
  denied: Demand,
): boolean {
  // Another principal's refusal is to be scored.
  if (before.length !== now.length || penalty?.subject !== other?.subject) return false
  for (let i = 0; i < now.length; i++) {
    const [a, b] = [before[i] as Demand, now[i] as Demand]
    if (a.rule !== b.rule || a.subject !== b.subject || a.mode !== b.mode) return false
    if (a.cost !== b.cost && b !== denied) return false
  }
  return true
}
