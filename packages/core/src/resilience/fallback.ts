import { algorithms, type State } from '../algorithms/index.ts'
import { shareOf } from '../arithmetic.ts'
import type { OnStoreError } from '../policy.ts'
import type { CompiledPolicy } from '../compiled-policy.ts'
import { type Aside, isReported, type Question } from '../question.ts'
import { Recent } from '../recent.ts'
import { keyOf, keyOfDemand } from '../store/key.ts'
import { type Demand, type Group, Mode, type Verdict } from '../store/contract.ts'
import { remaining, verdictAt, waitFor } from '../store/read.ts'
import { Bounded } from './bounded.ts'
import { Debts } from './debts.ts'
import { LocalStore } from './local-store.ts'

/** What decided in the store's place. */
export interface LocalAnswer {
  /** The strongest of what the policies want: one that is closed closes the request. */
  readonly degraded: OnStoreError
  /** What is left to ask here: the policies that decide locally, with their share of the limit. */
  readonly question: Question
  readonly verdict: Verdict
  /** The place of the policy that closes the request; -1 when none does. */
  readonly closing: number
}

interface Known {
  readonly state: number[]
  /** What the store's clock is behind this process's, microseconds. */
  offset: number
  /** Until when its last request is known to be refused, by this process's clock; 0 when it was not. */
  refusedUntil: number
  /** Whether it is what the counter here starts from, or was put right by. */
  isUsed: boolean
}

const REMEMBERED = 50_000
const MOST_REFUSED = 10_000
const MOST_RESTORED = 1_000

/** Decides in this process while the store cannot, from what the store said last. Bounded. */
export class Fallback {
  /** What quotas charged here, to be written back. */
  readonly debts: Debts = new Debts()
  readonly #mode: OnStoreError
  readonly #instances: () => number
  readonly #store = new LocalStore(nowMicros)
  readonly #known = new Recent<Known>(REMEMBERED)
  // Who was refused last, and until when: not to be let in by a store that came back empty.
  readonly #refused = new Bounded<{ readonly demand: Demand; readonly until: number }>(MOST_REFUSED)

  constructor(mode: OnStoreError, instances: () => number) {
    this.#mode = mode
    this.#instances = instances
  }

  /** Keeps what the store said of each key. */
  remember({ demands }: Group, whole: Verdict): void {
    const now = nowMicros()
    for (const [i, demand] of demands.entries()) {
      const verdict = verdictAt(whole, i)
      const state = verdict.states[i] ?? []
      const key = keyOfDemand(demand)
      const passed = verdict.passes[i] === true
      const wait = passed || !judges(demand) ? 0 : waitFor(demand, state, verdict)
      const refusedUntil = wait > 0 && wait < Number.POSITIVE_INFINITY ? now + wait : 0
      // A look changes nothing of what is known of those who asked.
      if (!passed && demand.mode === Mode.CHARGE) this.#refused.set(key, { demand, until: refusedUntil })
      else if (passed && this.#refused.size > 0) this.#refused.delete(key)
      const known = this.#knownOf(key, state)
      known.offset = now - verdict.now
      known.refusedUntil = refusedUntil
      known.isUsed = false
    }
  }

  // Written over, not made anew: what outlives a request costs the collector more than the request costs otherwise.
  #knownOf(key: string, state: State): Known {
    const known = this.#known.get(key)
    if (known !== undefined && known.state.length === state.length) {
      for (let i = 0; i < state.length; i++) known.state[i] = state[i] as number
      return known
    }
    const made: Known = { state: [...state], offset: 0, refusedUntil: 0, isUsed: false }
    this.#known.set(key, made)
    return made
  }

  forget(cells: readonly { subject: string; cell: string }[]): void {
    for (const { subject, cell } of cells) {
      this.#known.set(keyOf(subject, cell), { ...UNKNOWN })
      this.#refused.delete(keyOf(subject, cell))
    }
    this.#store.forget(cells)
  }

  decide(question: Question): LocalAnswer {
    const local: number[] = []
    let closing = -1
    for (const [i, policy] of question.policies.entries()) {
      const mode = policy.onStoreError ?? this.#mode
      if (mode === 'local') local.push(i)
      else if (mode === 'closed' && closing < 0 && !isReported(question, i)) closing = i
    }
    const degraded = closing >= 0 ? 'closed' : local.length > 0 ? 'local' : 'open'
    const rest = this.#shareOf(question, closing >= 0 ? [] : local)
    const verdict = this.#store.evaluate(rest)
    if (verdict.allowed && !verdict.repeated && closing < 0) this.#owe(question, local, verdict)
    return { degraded, question: rest, verdict, closing }
  }

  /** The question of some of its policies, with this process's share of their limits. */
  #shareOf({ policies, demands: asked, aside, once }: Question, places: readonly number[]): Question {
    const kept = places.map(i => policies[i] as CompiledPolicy)
    const share = (at: number, i: number): Demand => this.#share(asked[at] as Demand, policies[i]?.cost ?? 1)
    const demands = places.map(i => share(i, i))
    const move = (at: number, i: number): number => (at < 0 ? -1 : demands.push(share(at, i)) - 1)
    const moved = ({ guard, lease, ...own }: Aside, i: number): Aside => ({
      ...own,
      guard: move(guard, i),
      lease: move(lease, i),
    })
    const beside = aside && places.map(i => aside[i] && moved(aside[i], i))
    return { policies: kept, aside: beside, demands, once: places.length === 0 ? undefined : once }
  }

  /**
   * Corrects what was charged here; gives what only the store can correct by now: what quotas charged here and was written
   * back since.
   */
  correct({ demands }: Group): Demand[] {
    const here: Demand[] = []
    const there: Demand[] = []
    for (const demand of demands) {
      const rest = demand.rule.letter === 'q' ? this.debts.correct(demand) : undefined
      if (rest !== undefined) there.push(rest)
      if (rest !== demand) here.push(demand)
    }
    if (here.length > 0) this.#store.evaluate({ demands: here })
    return there
  }

  /** Whether there is anything that a store which came back empty would have to be told. */
  get holds(): boolean {
    return this.debts.size > 0 || this.refused().length > 0
  }

  /** Asks about, and restores, the keys that are known to be still refused. Requests in flight end by themselves. */
  refused(): { readonly peek: Group; readonly restore: Group }[] {
    const now = nowMicros()
    const groups: { peek: Group; restore: Group }[] = []
    for (const [name, { demand, until }] of this.#refused) {
      if (until <= now) this.#refused.delete(name)
      else if (groups.length < MOST_RESTORED && demand.rule.letter !== 'c')
        groups.push({ peek: asking(demand), restore: blocking(demand, until - now) })
    }
    return groups
  }

  #share(demand: Demand, cost: number): Demand {
    const rule = shareOf(demand.rule, this.#instances(), cost)
    const known = this.#known.get(keyOfDemand(demand))
    if (known !== undefined && !known.isUsed) {
      known.isUsed = true
      this.#store.put(demand.subject, rule.cell, own => this.#start(demand, rule, known, own))
    }
    return { ...demand, rule }
  }

  // As much is left as the store last left, but no more than this process's share: less what it let in here before, when
  // the store was away the last time.
  #start(demand: Demand, rule: Demand['rule'], known: Known, own: State): State {
    const now = nowMicros()
    const then: Verdict = {
      now: now - known.offset,
      allowed: true,
      repeated: false,
      passes: [],
      starts: [],
      states: [],
      penalty: [],
    }
    const algorithm = algorithms[rule.letter]
    const used = Math.max(0, rule.capacity - remaining(demand, known.state, then))
    const usedHere = rule.capacity - algorithm.remaining(own, now, rule)
    const state = [...own]
    if (used > usedHere) algorithm.charge(state, now, used - usedHere, rule, demand.edges)
    if (state.length === 0) state.push(0, ...algorithm.idle(now, rule))
    const block = known.state[0] ?? 0
    const blocked = Math.max(known.refusedUntil, block === 0 ? 0 : block + known.offset)
    state[0] = blocked > now ? blocked : 0
    return state
  }

  #owe({ policies, demands }: Question, places: readonly number[], { passes }: Verdict): void {
    for (const [j, i] of places.entries()) {
      const demand = demands[i] as Demand
      const isTaken = passes[j] === true && demand.cost > 0 && demand.mode !== Mode.PEEK
      if (!isTaken || policies[i]?.calendar === undefined) continue
      this.debts.add(demand)
    }
  }
}

const { timeOrigin } = performance
const elapsed = performance.now.bind(performance)
const UNKNOWN: Known = Object.freeze({ state: [], offset: 0, refusedUntil: 0, isUsed: true })

/** Whether a demand is judged by its limit. */
function judges({ mode }: Demand): boolean {
  return mode === Mode.CHARGE || mode === Mode.PEEK
}

function asking(demand: Demand): Group {
  return { demands: [{ ...demand, mode: Mode.PEEK }] }
}

function blocking(demand: Demand, block: number): Group {
  const rule = { ...demand.rule, block, reduced: undefined }
  return { demands: [{ ...demand, rule, mode: Mode.BLOCK, cost: 0, penalized: false }] }
}

function nowMicros(): number {
  return Math.floor((timeOrigin + elapsed()) * 1000)
}
