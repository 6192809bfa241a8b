import { type Cost, checkCost, readCost } from '../policy/cost.ts'
import type { CheckResult } from '../check/check-result.ts'
import { type ChargeRecord, Decision } from '../check/decision.ts'
import { HaltError } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import { noticeCostNames } from '../misuse/index.ts'
import type { Check } from '../check/check.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import type { LateReply } from '../check/check-result.ts'
import { type ActualCharge, chargeAt, release, settlement, taking } from '../check/correction.ts'
import type { CounterId, Group, Evaluation } from '../store/contract.ts'
import { Undecided } from './undecided.ts'

/** Corrects charges after the fact: what was really used, requests that have ended, counters that are to be forgotten. */
export class Charges {
  readonly #guardedStore: GuardedStore
  readonly #warn: Warn
  readonly #undecided: Undecided<ChargeRecord> = new Undecided(record => void this.#take(record))

  constructor(guardedStore: GuardedStore, warn: Warn) {
    this.#guardedStore = guardedStore
    this.#warn = warn
  }

  /** Corrects what a decision charged to what was used, and ends the lease of a held cost; once. */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    if (actual === undefined) readCost(actual, 'actual')
    checkCost(actual)
    const record = recordOf(decision)
    // What charged nothing may be settled as often as anybody likes.
    if (record.settled !== undefined && record.recordedIn !== undefined) {
      return this.#warn({
        code: 'HALT_W_SETTLED_TWICE',
        message: 'A decision was settled a second time; the first settlement stands.',
        fix: 'Settle once, in one place: a finally block.',
      })
    }
    record.settled = actual
    // The answer of the store says which window the held cost went to.
    if (record.correcting !== undefined) await record.correcting
    if (!isCharge(record)) return
    if (typeof actual === 'object') noticeCostNames(actual, record.result.check.policies, this.#warn)
    await this.#decideCharge(record, settlement(record, actual))
  }

  /** Begins to wait for the end of a decision that holds a cost. If none comes before its lease ends, the cost is taken. */
  hold(decision: Decision, check: Check): void {
    if (holds(check)) this.#wait(recordOf(decision))
  }

  /**
   * Tells that the application has decided the response: a held cost is taken, or, where the request is not to count, the
   * whole charge is given back. While the answer is awaited the cost stays held, but no longer than its lease.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    const record = recordOf(decision)
    if (typeof counts === 'object') {
      record.awaited = true
      const answer = await counts.catch(() => true)
      record.awaited = false
      return this.conclude(decision, answer)
    }
    if (counts) await this.#take(record)
    else if (record.settled === undefined) await this.settle(decision, 0)
  }

  /** Takes every held cost whose end has not come. */
  async close(): Promise<void> {
    await Promise.all(this.#undecided.drain().map(record => this.#take(record)))
  }

  /** What a decision charged, units by policy. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    const record = recordOf(decision)
    const units = new Map<string, number>()
    if (!isCharge(record)) return units
    const charge = { ...record, settled: undefined, released: false, decided: false }
    for (const [at, { name }] of record.result.check.policies.entries()) {
      const taken = chargeAt(charge, at)
      if (taken !== undefined) units.set(name, taken)
    }
    return units
  }

  /** Gives all of a charge back and ends the request in flight, unless it was settled. */
  async cancel(decision: Decision): Promise<void> {
    if (recordOf(decision).settled === undefined) await this.settle(decision, 0)
    await this.release(decision)
  }

  /** Ends a request in flight, and takes a held cost unless that is still awaited; once. */
  async release(decision: Decision): Promise<void> {
    const record = recordOf(decision)
    if (record.released || !isCharge(record)) return
    const group = release(record)
    record.released = true
    if (record.decided || record.awaited) await this.#correct(group, record.recordedIn)
    else await this.#decideCharge(record, group)
  }

  /**
   * Watches a decision that was made since the store did not answer in time: what the store says later is put right as it was
   * decided, settled and released here.
   */
  watch(decision: Decision, late: LateReply): void {
    const record = recordOf(decision)
    if (record.recordedIn === 'local') record.recordedIn = 'unknown'
    late.whenHeard(result => void this.#catchUp(decision, record, result))
  }

  /** Forgets counters, here and in the store; resolves to how many the store had. */
  async forget(counters: readonly CounterId[]): Promise<number> {
    return this.#guardedStore.reset(counters)
  }

  #wait(record: ChargeRecord): void {
    if (isCharge(record)) this.#undecided.add(record)
  }

  async #take(record: ChargeRecord): Promise<void> {
    if (!record.decided && isCharge(record)) await this.#decideCharge(record, taking(record))
  }

  /** Makes the correction by which a charge is decided. */
  async #decideCharge(record: ActualCharge, correction: Group | undefined): Promise<void> {
    record.decided = true
    this.#undecided.delete(record)
    const correcting = this.#correct(correction, record.recordedIn)
    record.correcting = correcting
    const evaluation = await correcting
    record.correcting = undefined
    if (correction !== undefined && evaluation !== undefined) record.taken = { group: correction, evaluation }
  }

  async #catchUp({ allowed }: Decision, record: ChargeRecord, result: CheckResult): Promise<void> {
    const { settled, released, decided, recordedIn } = record
    const charge = { ...record, result, settled: undefined, released: false, decided: false }
    if (allowed && recordedIn !== undefined) {
      record.result = result
      record.recordedIn = 'store'
      if (settled !== undefined) await this.#correct(settlement(charge, settled), 'store')
      else if (decided) await this.#correct(taking(charge), 'store')
      else if (holds(result.check)) this.#wait(record)
      if (released) await this.#correct(release({ ...charge, decided: true }), 'store')
      return
    }
    // A request that was refused here has used nothing.
    if (!allowed) await this.#correct(settlement(charge, 0), 'store')
    // Nobody will settle a request that was let in uncounted.
    await this.#correct(release({ ...charge, decided: !allowed }), 'store')
  }

  async #correct(
    correction: Group | undefined,
    where: ChargeRecord['recordedIn'],
  ): Promise<Evaluation | undefined> {
    if (correction === undefined) return undefined
    const rest = where === 'store' ? correction : this.#guardedStore.correct(correction)
    // Whether the store was asked for it nobody knows: nothing is taken back that it may not have given.
    if (rest === undefined || where === 'unknown') return undefined
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

function isCharge(record: ChargeRecord): record is ActualCharge {
  return record.recordedIn !== undefined && record.result !== undefined
}

function recordOf(decision: Decision): ChargeRecord {
  const record = Decision.recordOf(decision)
  if (record !== undefined) return record
  throw new HaltError(
    'HALT_E_SETTLE',
    'This is no decision of a limiter, or a copy of one.',
    'Pass the very object that check() gave.',
  )
}
