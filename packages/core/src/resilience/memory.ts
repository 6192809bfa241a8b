import type { State } from '../algorithms/index.ts'
import { Recent } from '../recent.ts'
import { type Demand, type Group, Mode, type Verdict } from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/key.ts'
import { verdictAt, waitFor } from '../store/read.ts'
import { Bounded } from './bounded.ts'

/** What the store said last of a counter. */
export interface Known {
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

/** What the store said last of each counter, for the time when it says nothing. Bounded. */
export class Memory {
  readonly #known = new Recent<Known>(REMEMBERED)
  // Who was refused last, and until when: not to be let in by a store that came back empty.
  readonly #refused = new Bounded<{ readonly demand: Demand; readonly until: number }>(MOST_REFUSED)

  /** What is known of a counter. */
  of(demand: Demand): Known | undefined {
    return this.#known.get(keyOfDemand(demand))
  }

  /** Keeps what the store said. */
  remember({ demands }: Group, whole: Verdict): void {
    const now = nowMicros()
    for (const [i, demand] of demands.entries()) {
      const verdict = verdictAt(whole, i)
      const state = verdict.states[i] ?? []
      const key = keyOfDemand(demand)
      const passed = verdict.passes[i] === true
      const refusedUntil = passed || !judges(demand) ? 0 : refusal(demand, state, verdict, now)
      // A look changes nothing of what is known of those who asked.
      if (!passed && demand.mode === Mode.CHARGE) this.#refused.set(key, { demand, until: refusedUntil })
      else if (passed && this.#refused.size > 0) this.#refused.delete(key)
      this.#know(key, state, now - verdict.now, refusedUntil)
    }
  }

  /** Keeps what the store said of a correction: who is refused stays so, unless enough was given back. */
  adjust({ demands }: Group, whole: Verdict): void {
    const now = nowMicros()
    for (const [i, demand] of demands.entries()) {
      const key = keyOfDemand(demand)
      // Of a store that answers at once nothing is remembered.
      if (this.#known.get(key) === undefined) continue
      const verdict = verdictAt(whole, i)
      const state = verdict.states[i] ?? []
      const refused = this.#refused.get(key)
      const until = refused === undefined ? 0 : refusal(refused.demand, state, verdict, now)
      if (until > 0 && refused !== undefined) this.#refused.set(key, { ...refused, until })
      else this.#refused.delete(key)
      this.#know(key, state, now - verdict.now, until)
    }
  }

  forget(cells: readonly { subject: string; cell: string }[]): void {
    for (const { subject, cell } of cells) {
      const key = keyOf(subject, cell)
      this.#known.set(key, { state: [], offset: 0, refusedUntil: 0, isUsed: true })
      this.#refused.delete(key)
    }
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

  // Written over, not made anew: what outlives a request costs the collector more than the request costs otherwise.
  #know(key: string, state: State, offset: number, refusedUntil: number): void {
    const known = this.#known.get(key)
    if (known === undefined || known.state.length !== state.length)
      return this.#known.set(key, { state: [...state], offset, refusedUntil, isUsed: false })
    for (let i = 0; i < state.length; i++) known.state[i] = state[i] as number
    known.offset = offset
    known.refusedUntil = refusedUntil
    known.isUsed = false
  }
}

const { timeOrigin } = performance
const elapsed = performance.now.bind(performance)

/** This process's clock, which never goes back: microseconds since the epoch. */
export function nowMicros(): number {
  return Math.floor((timeOrigin + elapsed()) * 1000)
}

/** Whether a demand is judged by its limit. */
function judges({ mode }: Demand): boolean {
  return mode === Mode.CHARGE || mode === Mode.PEEK
}

/** Until when a demand is known to be refused, by this process's clock; 0 when it is not, or nobody can tell. */
function refusal(demand: Demand, state: State, verdict: Verdict, now: number): number {
  const wait = waitFor(demand, state, verdict)
  return wait > 0 && wait < Number.POSITIVE_INFINITY ? now + wait : 0
}

function asking(demand: Demand): Group {
  return { demands: [{ ...demand, mode: Mode.PEEK }] }
}

function blocking(demand: Demand, block: number): Group {
  const rule = { ...demand.rule, block, reduced: undefined }
  return { demands: [{ ...demand, rule, mode: Mode.BLOCK, cost: 0, penalized: false }] }
}
