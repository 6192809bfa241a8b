import { type Cost, checkCost, readCost } from './cost.ts'
import { Decision, type Receipt } from './decision.ts'
import { HaltError, type Warn } from './errors.ts'
import { noticeCostNames } from './misuse/index.ts'
import type { Judge } from './resilience/judge.ts'
import { cellsOf, release, settlement } from './settlement.ts'
import type { Cell, Demand, Group, Store } from './store/contract.ts'

/** Corrects charges after the fact: what was really used, requests that have ended, counters that are to be forgotten. */
export class Ledger {
  readonly #store: Store
  readonly #judge: Judge
  readonly #warn: Warn

  constructor(store: Store, judge: Judge, warn: Warn) {
    this.#store = store
    this.#judge = judge
    this.#warn = warn
  }

  /** Corrects what a decision charged to what was used; once. */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    if (actual === undefined) readCost(actual, 'actual')
    checkCost(actual)
    const receipt = receiptOf(decision)
    // What charged nothing may be settled as often as anybody likes.
    if (receipt.settled && receipt.charged !== undefined) {
      return this.#warn({
        code: 'HALT_W_SETTLED_TWICE',
        message: 'A decision was settled a second time; the first settlement stands.',
        fix: 'Settle once, in one place: a finally block.',
      })
    }
    receipt.settled = true
    const { grounds, charged } = receipt
    if (charged === undefined || grounds === undefined) return
    if (typeof actual === 'object') noticeCostNames(actual, grounds.question.policies, this.#warn)
    await this.#correct(settlement(grounds, actual, receipt), charged)
  }

  /** What a decision charged, units by policy. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    const { charged, grounds } = receiptOf(decision)
    const units = new Map<string, number>()
    if (charged === undefined || grounds === undefined) return units
    const { question, verdict } = grounds
    for (const [at, { name }] of question.policies.entries())
      if (verdict.passes[at] === true) units.set(name, (question.demands[at] as Demand).cost)
    return units
  }

  /** Gives all of a charge back and ends the request in flight, unless it was settled. */
  async cancel(decision: Decision): Promise<void> {
    if (!receiptOf(decision).settled) await this.settle(decision, 0)
    await this.release(decision)
  }

  /** Ends a request in flight; once. */
  async release(decision: Decision): Promise<void> {
    const receipt = receiptOf(decision)
    const { grounds, charged } = receipt
    if (receipt.released || charged === undefined || grounds === undefined) return
    receipt.released = true
    await this.#correct(release(grounds, receipt), charged)
  }

  /** Forgets counters, here and in the store. */
  async forget(cells: readonly Cell[]): Promise<void> {
    await this.#change(cells, () => this.#store.forget(cells))
  }

  async #correct(correction: Group | undefined, where: 'store' | 'local'): Promise<void> {
    const group = correction && where === 'local' ? this.#judge.correct(correction) : correction
    if (group === undefined) return
    try {
      await this.#change(cellsOf(group), () => this.#store.evaluate(group))
    } catch {
      // The charge stands as it was made; the failure was warned of and reported.
    }
  }

  // What is remembered of a counter goes before, for what is decided without the store, and once more after: an answer
  // that was on its way knows nothing of the change.
  async #change(cells: readonly Cell[], change: () => unknown): Promise<void> {
    this.#judge.forget(cells)
    await this.#judge.insist(change)
    this.#judge.forget(cells)
  }
}

function receiptOf(decision: Decision): Receipt {
  const receipt = Decision.receiptOf(decision)
  if (receipt !== undefined) return receipt
  throw new HaltError(
    'HALT_E_SETTLE',
    'This is no decision of a limiter, or a copy of one.',
    'Pass the very object that check() gave.',
  )
}
