import { type Cost, checkCost, readCost } from './cost.ts'
import { Decision, type Grounds, type Receipt } from './decision.ts'
import { HaltError, type Warn } from './errors.ts'
import { noticeCostNames } from './misuse/index.ts'
import type { Judge } from './resilience/judge.ts'
import type { Late } from './resilience/late.ts'
import { type Charge, chargeAt, release, settlement } from './settlement.ts'
import type { Cell, Group, Verdict } from './store/contract.ts'

/** Corrects charges after the fact: what was really used, requests that have ended, counters that are to be forgotten. */
export class Ledger {
  readonly #judge: Judge
  readonly #warn: Warn

  constructor(judge: Judge, warn: Warn) {
    this.#judge = judge
    this.#warn = warn
  }

  /** Corrects what a decision charged to what was used; once. */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    if (actual === undefined) readCost(actual, 'actual')
    checkCost(actual)
    const receipt = receiptOf(decision)
    // What charged nothing may be settled as often as anybody likes.
    if (receipt.settled !== undefined && receipt.charged !== undefined) {
      return this.#warn({
        code: 'HALT_W_SETTLED_TWICE',
        message: 'A decision was settled a second time; the first settlement stands.',
        fix: 'Settle once, in one place: a finally block.',
      })
    }
    const correction = isCharge(receipt) ? settlement(receipt, actual) : undefined
    receipt.settled = actual
    const { grounds, charged } = receipt
    if (charged === undefined || grounds === undefined) return
    if (typeof actual === 'object') noticeCostNames(actual, grounds.question.policies, this.#warn)
    await this.#correct(correction, charged)
  }

  /** What a decision charged, units by policy. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    const receipt = receiptOf(decision)
    const units = new Map<string, number>()
    if (!isCharge(receipt)) return units
    const charge = { ...receipt, settled: undefined, released: false }
    for (const [at, { name }] of receipt.grounds.question.policies.entries()) {
      const taken = chargeAt(charge, at)
      if (taken !== undefined) units.set(name, taken)
    }
    return units
  }

  /** Gives all of a charge back and ends the request in flight, unless it was settled. */
  async cancel(decision: Decision): Promise<void> {
    if (receiptOf(decision).settled === undefined) await this.settle(decision, 0)
    await this.release(decision)
  }

  /** Ends a request in flight; once. */
  async release(decision: Decision): Promise<void> {
    const receipt = receiptOf(decision)
    const { charged } = receipt
    if (receipt.released || charged === undefined || !isCharge(receipt)) return
    receipt.released = true
    const group = release(receipt)
    const verdict = await this.#correct(group, charged)
    if (group !== undefined && verdict !== undefined) receipt.ended = { group, verdict }
  }

  /**
   * Watches a decision that was made since the store did not answer in time: what the store says later is put right as it was
   * decided, settled and released here.
   */
  watch(decision: Decision, late: Late): void {
    const receipt = receiptOf(decision)
    if (receipt.charged === 'local') receipt.charged = 'doubtful'
    late.whenHeard(grounds => void this.#catchUp(decision, receipt, grounds))
  }

  /** Forgets counters, here and in the store; resolves to how many the store had. */
  async forget(cells: readonly Cell[]): Promise<number> {
    return this.#judge.reset(cells)
  }

  async #catchUp({ allowed }: Decision, receipt: Receipt, grounds: Grounds): Promise<void> {
    const { settled, released, charged } = receipt
    const charge = { ...receipt, grounds, settled: undefined, released: false }
    if (allowed && charged !== undefined) {
      receipt.grounds = grounds
      receipt.charged = 'store'
      if (settled !== undefined) await this.#correct(settlement(charge, settled), 'store')
      if (released) await this.#correct(release({ ...charge, settled }), 'store')
      return
    }
    // Who was refused here has taken nothing; who was let in uncounted is not waited for either.
    if (!allowed) await this.#correct(settlement(charge, 0), 'store')
    await this.#correct(release({ ...charge, settled: 0 }), 'store')
  }

  async #correct(correction: Group | undefined, where: Receipt['charged']): Promise<Verdict | undefined> {
    if (correction === undefined) return undefined
    const rest = where === 'store' ? correction : this.#judge.correct(correction)
    // Whether the store was asked for it nobody knows: nothing is taken back that it may not have given.
    if (rest === undefined || where === 'doubtful') return undefined
    try {
      return await this.#judge.settle(rest)
    } catch {
      // The charge stands as it was made; the failure was warned of and reported.
      return undefined
    }
  }
}

function isCharge(receipt: Receipt): receipt is Charge {
  return receipt.charged !== undefined && receipt.grounds !== undefined
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
