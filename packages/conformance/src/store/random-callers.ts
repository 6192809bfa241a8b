import {
  algorithms,
  type Demand,
  type Edges,
  type Group,
  Mode,
  type Rule,
  shareRuleOf,
  type Terms,
  ticketOf,
} from '@halt/core/store'
import { compileRule } from '@halt/core/testing'

import { START } from './bench.ts'
import type { Charged } from './charged.ts'
import type { Step } from './random-groups.ts'
import { randomUseOfHold } from './random-holds.ts'
import { randomNumbers } from './random-numbers.ts'
import { randomFollowUp } from './random-places.ts'
import type { Pick } from './random-terms.ts'

const SECOND = 1e6
const DAY = 86_400 * SECOND
/** After so many steps of a history others want another counter. */
const EACH = 50

/**
 * Writes a random history of callers of one counter at a time: they want more than comes back, wait as long as they must, hold
 * units, give back, and come again when they are all but forgotten. Random groups meet such states rarely, because they have many counters.
 */
export function randomCallers(seed: number, steps: number): Step[] {
  const random = randomNumbers(seed + 7000)
  const pick: Pick = list => list[Math.floor(random() * list.length)]!
  let now = START
  let crowd = new Crowd('p_scarce0', random, pick)
  return Array.from({ length: steps }, (_, i) => {
    if (i > 0 && i % EACH === 0) crowd = new Crowd(`p_scarce${i / EACH}`, random, pick)
    const advance = crowd.time()
    now += advance
    return { advance, groups: crowd.acts(now) }
  })
}

/** Three callers of a counter of any kind, size and speed, which has other numbers now and then. */
class Crowd {
  readonly #random: () => number
  readonly #pick: Pick
  readonly #rule: Rule
  readonly #changed: Rule
  /** Whether they share it fairly. */
  readonly #isShared: boolean
  /** By name and weight. */
  readonly #callers: readonly (readonly [name: string, weight: number])[]
  readonly #costs: readonly number[]
  /** About the time in which one unit comes back, and that in which all do. Microseconds. */
  readonly #unit: number
  readonly #round: number

  constructor(counter: string, random: () => number, pick: Pick) {
    this.#random = random
    this.#pick = pick
    const algorithm = pick([
      ...Array<'token-bucket'>(3).fill('token-bucket'),
      ...Array<'concurrency'>(2).fill('concurrency'),
      'quota',
      'fixed-window',
      'sliding-window',
    ] as const)
    const isBucket = algorithm === 'token-bucket'
    const limit = pick([1, 3, 7, 10, 23, 44, 100, 100, 1000])
    const capacity = isBucket ? pick([limit, limit, Math.ceil(limit / 3), 3 * limit]) : limit
    const window = pick([1, 2, 10, 60, 3600]) * SECOND
    this.#isShared = (isBucket || algorithm === 'concurrency') && random() < 0.7
    const cooldown = this.#isShared ? 0 : pick([0, 0, Math.ceil(window / 3)])
    const ruleOf = (factor: number, parts: number): Rule =>
      compileRule({
        algorithm,
        counter,
        limit: factor * limit,
        capacity: factor * capacity,
        window,
        precision: algorithm === 'concurrency' ? 64 : parts,
        cooldown,
        floor: 1,
      })
    this.#rule = ruleOf(1, 10)
    this.#changed = ruleOf(2, 3)
    this.#callers = ['user:1', 'user:2', 'org:3 x'].map(name => [name, pick([1, 1, 2, 5, 100])])
    const half = Math.ceil(capacity / 2)
    const rare = pick([0, Math.ceil(capacity / 7), capacity, capacity + 1])
    this.#costs = [1, 1, 1, pick([2, 3]), pick([half, half - 1]), rare]
    this.#unit = Math.ceil(window / Math.max(4, limit))
    this.#round = capacity * this.#unit
  }

  /** The time until somebody acts next. Microseconds. */
  time(): number {
    const [unit, round] = [this.#unit, this.#round]
    // So long a bucket that is shared remembers its tenants, when it is full again.
    const kept = Math.max(16 * round, 60 * SECOND)
    const long = [round / 2, round, kept, kept + round / 2, kept + 2 * round]
    const short = [0, 1, unit / 7, unit, 2 * unit, 3 * unit, round / 30, round / 10]
    return Math.ceil(this.#pick(this.#random() < 0.08 ? long : short))
  }

  /** Draws what one caller does, or what three do at the same instant. */
  acts(now: number): Step['groups'] {
    const acts = Array.from({ length: this.#random() < 0.2 ? 3 : 1 }, () => this.#act(now))
    return past => {
      const own = past.filter(({ group }) => group.demands[0]!.rule.counter === this.#rule.counter)
      return acts.flatMap(act => act(own))
    }
  }

  #act(now: number): Step['groups'] {
    const kind = this.#random()
    if (kind < 0.7) return past => [{ demands: [this.#ask(now, past)] }]
    if (kind < 0.85) return past => this.#givesBack(past)
    if (kind > 0.97) return () => this.#byHand(now)
    const follow = this.#rule.code === 'q' ? randomUseOfHold : randomFollowUp
    return past => follow(this.#random, this.#pick, past)
  }

  #demand(now: number, rule: Rule, mode: Mode, cost: number, terms?: Terms): Demand {
    const start = now - (now % rule.window)
    const edges: Edges = [start, start + rule.window, start + 2 * rule.window]
    const quota = rule.code === 'q' ? { edges } : {}
    return { rule, subject: 'shared:api', cost, mode, penalized: false, terms, ...quota }
  }

  #ask(now: number, past: readonly Charged[]): Demand {
    const [random, pick, unit, round] = [this.#random, this.#pick, this.#unit, this.#round]
    const rule = random() < 0.93 ? this.#rule : this.#changed
    const cost = pick(this.#costs)
    const mode = pick([...Array<Mode>(9).fill(Mode.CHARGE), Mode.SHADOW, Mode.PEEK])
    const whose: Terms = this.#isShared
      ? { share: this.#share(rule, cost, past) }
      : { headroom: pick([undefined, undefined, 0.1, 0.5]) }
    if (mode === Mode.PEEK) return this.#demand(now, rule, mode, cost, whose)
    const isHold = rule.code === 'q' && mode === Mode.CHARGE && random() < 0.6
    return this.#demand(now, rule, mode, cost, {
      ...whose,
      maxWait: pick([undefined, unit, 3 * unit, round, 20 * round, DAY]),
      least: cost > 1 && random() < 0.2 ? 1 : undefined,
      ...(isHold && { keptFor: pick([unit, 5 * unit, round / 8, round / 2, 2 * round]) }),
    })
  }

  /** A tenant's share, with the ticket that it was told last for so many units, or without one. */
  #share(pool: Rule, cost: number, past: readonly Charged[]): Terms['share'] {
    const [tenant, weight] = this.#pick(this.#callers)
    const rule = shareRuleOf(pool, tenant)
    const tickets = past.flatMap(({ group, evaluation }) => {
      const [demand] = group.demands
      const isOwn = demand!.terms?.share?.rule.counter === rule.counter && demand!.cost === cost
      return (isOwn && demand!.mode === Mode.CHARGE && ticketOf(group, 0, evaluation)) || []
    })
    const ticket = this.#random() < 0.6 ? tickets.at(-1) : undefined
    return { rule, weight, ticket, wantsTicket: ticket === undefined && this.#random() < 0.5 }
  }

  /** A caller gives back a part of what it took, or has used more. */
  #givesBack(past: readonly Charged[]): Group[] {
    if (past.length === 0) return []
    const { group, evaluation } = this.#pick(past)
    const demand = group.demands[0]!
    const { rule, mode, terms } = demand
    if (!evaluation.allowed || (mode !== Mode.CHARGE && mode !== Mode.SHADOW) || terms?.keptFor) return []
    const algorithm = algorithms[rule.code]
    const taken = evaluation.grants?.[0] ?? demand.cost
    const cost = this.#pick([-1, -taken, -Math.ceil(taken / 2), ...(algorithm.isFlight ? [] : [1, taken])])
    if (cost === 0) return []
    const chargedTo = algorithm.chargedTo(evaluation.states[0] ?? [], evaluation.now, rule)
    const share = terms?.share && { ...terms.share, ticket: undefined, wantsTicket: false }
    return [{ demands: [{ ...demand, mode: Mode.SETTLE, cost, chargedTo, terms: share && { share } }] }]
  }

  /** An operator pauses callers, resets the counter, or grants units. */
  #byHand(now: number): Group[] {
    const [rule, pick] = [this.#rule, this.#pick]
    if (this.#isShared && rule.code === 'c') return []
    const mode = pick([Mode.BLOCK, Mode.RESET, ...(rule.code === 'q' ? [Mode.GRANT] : [])])
    const cost = mode === Mode.GRANT ? pick([1, rule.limit, -1]) : 0
    const cooldown = pick([0, 1, Math.ceil(rule.window / 5)])
    return [{ demands: [this.#demand(now, { ...rule, cooldown }, mode, cost)] }]
  }
}
