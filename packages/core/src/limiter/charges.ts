import { type Cost, checkCost, readCost } from '../policy/cost.ts'
import { Decision, type Grounds, type ChargeRecord } from '../check/decision.ts'
import { HaltError, type Warn } from '../base/errors.ts'
import { noticeCostNames } from '../misuse/index.ts'
import type { Check } from '../check/check.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import type { LateReply } from '../resilience/late-reply.ts'
import { type Charge, chargeAt, release, settlement, taking } from '../check/correction.ts'
import type { CounterId, Group, Evaluation } from '../store/contract.ts'
import { Undecided } from './undecided.ts'

/** Corrects charges after the fact: what was really used, requests that have ended, counters that are to be forgotten. */
export class Charges {
  readonly #guardedStore: GuardedStore
  readonly #warn: Warn
  readonly #undecided: Undecided<ChargeRecord> = new Undecided(receipt => void this.#take(receipt))

  constructor(guardedStore: GuardedStore, warn: Warn) {
    this.#guardedStore = guardedStore
    this.#warn = warn
  }

  /** Corrects what a decision charged to what was used, and ends the lease of a held cost; once. */
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
    receipt.settled = actual
    // The answer of the store says which window the held cost went to.
    if (receipt.correcting !== undefined) await receipt.correcting
    if (!isCharge(receipt)) return
    if (typeof actual === 'object') noticeCostNames(actual, receipt.grounds.check.policies, this.#warn)
    await this.#decide(receipt, settlement(receipt, actual))
  }

  /** Begins to wait for the end of a decision that holds a cost. If none comes before its lease ends, the cost is taken. */
  hold(decision: Decision, check: Check): void {
    if (holds(check)) this.#wait(receiptOf(decision))
  }

  /**
   * Tells that the application has decided the response: a held cost is taken, or, where the request is not to count, the
   * whole charge is given back. While the answer is awaited the cost stays held, but no longer than its lease.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    const receipt = receiptOf(decision)
    if (typeof counts === 'object') {
      receipt.awaited = true
      const answer = await counts.catch(() => true)
      receipt.awaited = false
      return this.conclude(decision, answer)
    }
    if (counts) await this.#take(receipt)
    else if (receipt.settled === undefined) await this.settle(decision, 0)
  }

  /** Takes every held cost whose end has not come. */
  async close(): Promise<void> {
    await Promise.all(this.#undecided.drain().map(receipt => this.#take(receipt)))
  }

  /** What a decision charged, units by policy. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    const receipt = receiptOf(decision)
    const units = new Map<string, number>()
    if (!isCharge(receipt)) return units
    const charge = { ...receipt, settled: undefined, released: false, decided: false }
    for (const [at, { name }] of receipt.grounds.check.policies.entries()) {
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

  /** Ends a request in flight, and takes a held cost unless that is still awaited; once. */
  async release(decision: Decision): Promise<void> {
    const receipt = receiptOf(decision)
    if (receipt.released || !isCharge(receipt)) return
    const group = release(receipt)
    receipt.released = true
    if (receipt.decided || receipt.awaited) await this.#correct(group, receipt.charged)
    else await this.#decide(receipt, group)
  }

  /**
   * Watches a decision that was made since the store did not answer in time: what the store says later is put right as it was
   * decided, settled and released here.
   */
  watch(decision: Decision, late: LateReply): void {
    const receipt = receiptOf(decision)
    if (receipt.charged === 'local') receipt.charged = 'doubtful'
    late.whenHeard(grounds => void this.#catchUp(decision, receipt, grounds))
  }

  /** Forgets counters, here and in the store; resolves to how many the store had. */
  async forget(counters: readonly CounterId[]): Promise<number> {
    return this.#guardedStore.reset(counters)
  }

  #wait(receipt: ChargeRecord): void {
    if (isCharge(receipt)) this.#undecided.add(receipt)
  }

  async #take(receipt: ChargeRecord): Promise<void> {
    if (!receipt.decided && isCharge(receipt)) await this.#decide(receipt, taking(receipt))
  }

  /** Makes the correction by which a charge is decided. */
  async #decide(receipt: Charge, correction: Group | undefined): Promise<void> {
    receipt.decided = true
    this.#undecided.delete(receipt)
    const correcting = this.#correct(correction, receipt.charged)
    receipt.correcting = correcting
    const evaluation = await correcting
    receipt.correcting = undefined
    if (correction !== undefined && evaluation !== undefined) receipt.taken = { group: correction, evaluation }
  }

  async #catchUp({ allowed }: Decision, receipt: ChargeRecord, grounds: Grounds): Promise<void> {
    const { settled, released, decided, charged } = receipt
    const charge = { ...receipt, grounds, settled: undefined, released: false, decided: false }
    if (allowed && charged !== undefined) {
      receipt.grounds = grounds
      receipt.charged = 'store'
      if (settled !== undefined) await this.#correct(settlement(charge, settled), 'store')
      else if (decided) await this.#correct(taking(charge), 'store')
      else if (holds(grounds.check)) this.#wait(receipt)
      if (released) await this.#correct(release({ ...charge, decided: true }), 'store')
      return
    }
    // A request that was refused here has used nothing.
    if (!allowed) await this.#correct(settlement(charge, 0), 'store')
    // Nobody will settle a request that was let in uncounted.
    await this.#correct(release({ ...charge, decided: !allowed }), 'store')
  }

  async #correct(correction: Group | undefined, where: ChargeRecord['charged']): Promise<Evaluation | undefined> {
    if (correction === undefined) return undefined
    const rest = where === 'store' ? correction : this.#guardedStore.correct(correction)
    // Whether the store was asked for it nobody knows: nothing is taken back that it may not have given.
    if (rest === undefined || where === 'doubtful') return undefined
    try {
      return await this.#guardedStore.settle(rest)
    } catch {
      // The charge stands as it was made; the failure was warned of and reported.
      return undefined
    }
  }
}

/** Whether a policy of a question holds its cost until the response is decided. */
function holds({ extras }: Check): boolean {
  return extras !== undefined && extras.some(one => one !== undefined && one.lease >= 0)
}

function isCharge(receipt: ChargeRecord): receipt is Charge {
  return receipt.charged !== undefined && receipt.grounds !== undefined
}

function receiptOf(decision: Decision): ChargeRecord {
  const receipt = Decision.receiptOf(decision)
  if (receipt !== undefined) return receipt
  throw new HaltError(
    'HALT_E_SETTLE',
    'This is no decision of a limiter, or a copy of one.',
    'Pass the very object that check() gave.',
  )
}
