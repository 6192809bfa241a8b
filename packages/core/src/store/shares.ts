// How a store decides the demands of tenants on their shares of a pool: a counter that tenants share fairly. The pool's own demand
// stands in front of the share's in the group. A share is judged by the pool as it was before the group.
import {
  algorithmOf,
  correctTurn,
  debtAt,
  giveTicket,
  isTurn,
  mayHold,
  mostToHold,
  newClock,
  type Rule,
  standingOf,
  type State,
  takeTurn,
  type Turn,
  type VirtualClock,
  waitToHold,
  withReading,
} from '../algorithms/index.ts'
import { type Demand, Mode, type Terms } from './contract.ts'

/** A group while it is judged, by the indexes of its demands. */
interface Judged {
  readonly demands: readonly Demand[]
  readonly rules: readonly Rule[]
  readonly states: readonly State[]
  readonly passes: boolean[]
}

/** The index of the pool of a share's demand; -1 if the demand is not about a share, or the group lacks the pool. */
export function poolAt(demands: readonly Demand[], at: number): number {
  const { subject, terms } = demands[at]!
  const pool = terms?.share?.pool
  return pool === undefined
    ? -1
    : demands.findIndex(other => other.rule.counter === pool && other.subject === subject)
}

/** The index of the demand on a share of the pool at an index; -1 if there is none. */
export function shareAt(demands: readonly Demand[], at: number): number {
  const { subject, rule } = demands[at]!
  return demands.findIndex(
    ({ terms, subject: own }) => terms?.share?.pool === rule.counter && own === subject,
  )
}

/** The terms that a correction of a demand keeps: the share that it is about. */
export function shareIn({ terms }: Demand): Terms | undefined {
  return terms?.share && { share: { ...terms.share, ticket: undefined, wantsTicket: false } }
}

/** The pools of a group, and the shares that its demands have of them, while the group is decided at one instant. */
export class Shares {
  readonly #judged: Judged
  readonly #now: number
  // By the index of the pool's demand.
  readonly #clocks: (VirtualClock | undefined)[] = []
  // By the index of the share's demand: the tenant's turn in a bucket, before the group.
  readonly #turns: (Turn | undefined)[] = []

  constructor(judged: Judged, now: number) {
    this.#judged = judged
    this.#now = now
  }

  /** Notes the clock that was taken out of a pool. */
  note(at: number, clock: VirtualClock): void {
    this.#clocks[at] = clock
  }

  /** The clock of the pool at an index; undefined for any other counter. */
  clockAt(at: number): VirtualClock | undefined {
    return this.#clocks[at]
  }

  /** Whether a tenant's share lets a demand pass. */
  fits(at: number): boolean {
    const { demands, states, rules } = this.#judged
    const { cost, mode, terms } = demands[at]!
    const pool = poolAt(demands, at)
    if (pool < 0) return true
    const units = terms!.least ?? cost
    const [own, all, rule] = [states[at]!, states[pool]!, rules[pool]!]
    if (algorithmOf(rule).isFlight) {
      const held = algorithmOf(rule).used(all, this.#now, rule)
      return mode === Mode.SETTLE || mayHold(own, this.#now, units, held, rule, terms!.share!.weight)
    }
    const turn = this.#turnIn(at, pool)
    return mode === Mode.SETTLE || isTurn(own, this.#now, units, turn)
  }

  /** The most units that a tenant's share leaves it; undefined for a share that lets it take what is left of the pool. */
  left(at: number): number | undefined {
    const { demands, states, rules } = this.#judged
    const pool = poolAt(demands, at)
    if (pool < 0) return undefined
    const [own, all, rule] = [states[at]!, states[pool]!, rules[pool]!]
    if (!algorithmOf(rule).isFlight) return undefined
    const { weight } = demands[at]!.terms!.share!
    return mostToHold(own, this.#now, algorithmOf(rule).used(all, this.#now, rule), rule, weight)
  }

  #turnIn(at: number, pool: number): Turn {
    const { demands, states, rules } = this.#judged
    const clock = (this.#clocks[pool] ??= newClock(this.#now))
    const { weight, ticket } = demands[at]!.terms!.share!
    const turn = {
      pool: rules[pool]!,
      debt: debtAt(states[pool]!, this.#now, rules[pool]!),
      clock,
      weight,
      ticket,
    }
    return (this.#turns[at] = turn)
  }

  /** A policy that only reports is charged on its pool and on the share, or on neither. */
  pairShadows(): void {
    const { demands, passes } = this.#judged
    for (const [at, { mode }] of demands.entries()) {
      const pool = mode === Mode.SHADOW ? poolAt(demands, at) : -1
      if (pool >= 0 && passes[at] !== passes[pool]) passes[at] = passes[pool] = false
    }
  }

  /** Whether a pool must wait for the turn of its tenant. The tenant's place in line is given then. */
  isForTurn(pool: number): boolean {
    const { demands, passes } = this.#judged
    const at = shareAt(demands, pool)
    return at >= 0 && passes[at] === false
  }

  /** Microseconds until a share that does not let its demand pass may do so. */
  wait(at: number): number {
    const { demands, states, rules } = this.#judged
    const { cost, terms } = demands[at]!
    const pool = poolAt(demands, at)
    const units = terms!.least ?? cost
    const turn = this.#turns[at]
    if (turn !== undefined)
      return standingOf(withReading(states[at]!, turn.clock), this.#now, units, turn).wait
    return waitToHold(states[at]!, states[pool]!, this.#now, units, rules[pool]!, terms!.share!.weight)
  }

  /** Changes the tag of a tenant by a demand that passes. Returns whether it changed; undefined if the demand is charged as any other. */
  charge(at: number, units: number): boolean | undefined {
    const turn = this.#turns[at]
    if (turn === undefined) return undefined
    const { demands, states } = this.#judged
    const { mode } = demands[at]!
    if (units === 0 || mode === Mode.PEEK || mode === Mode.HOLD) return false
    if (mode === Mode.SETTLE) return correctTurn(states[at]!, this.#now, units, turn)
    takeTurn(states[at]!, this.#now, units, turn)
    return true
  }

  /** Promises a tenant that must wait its next turn. Returns false if there is none to promise. */
  promise(at: number): boolean {
    const turn = this.#turns[at]
    const { cost, mode, terms } = this.#judged.demands[at]!
    if (turn === undefined || mode !== Mode.CHARGE || !terms?.maxWait || terms.share?.wantsTicket !== true)
      return false
    giveTicket(this.#judged.states[at]!, this.#now, terms.least ?? cost, turn)
    return true
  }

  /** The counters as an evaluation tells them: tags with the reading of their clock. */
  told(): readonly State[] {
    return this.#judged.states.map((state, at) => {
      const turn = this.#turns[at]
      return turn === undefined ? state : withReading(state, turn.clock)
    })
  }
}
