import { HaltError } from '../base/errors.ts'
import { UnderWay, untilIdle } from '../base/idleness.ts'
import type { Warn } from '../base/warnings.ts'
import { type ChargeRecord, UNCORRECTED } from '../check/charge-record.ts'
import type { CheckResult, LateReply } from '../check/check-result.ts'
import type { Check } from '../check/check.ts'
import { Decision } from '../check/decision.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { HeldCosts } from './held-costs.ts'
import { type Cost, checkCost, readCost } from '../policy/cost.ts'
import type { Group } from '../store/contract.ts'
import type { Adviser } from './adviser.ts'
import type { Corrections } from './corrections.ts'
import {
  type ActualCharge,
  chargeAt,
  checkActual,
  release,
  settlement,
  chargeHeldCost,
  unused,
} from '../check/settlement.ts'
import type { LeaseEvaluator } from './wings.ts'

/** The parts of a limiter that its charges use. */
export interface ChargesParts {
  readonly evaluator: Evaluator
  readonly corrections: Corrections
  readonly leases: LeaseEvaluator | undefined
  readonly warn: Warn
  readonly adviser: Adviser | undefined
  /** The longest waits for the store and for a function of the application, in milliseconds. */
  readonly numbers: { readonly storeTimeout: number; readonly callbackTimeout: number }
}

/** Corrects charges after the decision: settlements, held costs, requests that have ended, late replies of the store. */
export class Charges {
  readonly #parts: ChargesParts
  // The answers of chargeWhen that are awaited, and the late replies, which may never come.
  readonly #answers = new UnderWay()
  readonly #late = new UnderWay()
  readonly #held: HeldCosts<ChargeRecord> = new HeldCosts(record => void this.#chargeHeld(record))

  constructor(parts: ChargesParts) {
    this.#parts = parts
  }

  /** Corrects the charge of a decision to the units used, and ends the permit of a held cost. Works once per decision. */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    if (actual === undefined) readCost(actual, 'actual')
    checkCost(actual)
    const record = recordOf(decision)
    checkActual(record.result, actual)
    // A decision that charged nothing may be settled any number of times.
    if (record.settlement.kind !== 'none' && record.recordedIn !== undefined) {
      return this.#parts.warn({
        code: 'HALT_W_SETTLED_TWICE',
        message: 'A decision was settled a second time. The first settlement stands.',
        fix: 'Settle once, in one place, such as a finally block.',
      })
    }
    record.settlement = { kind: 'begun', to: actual }
    const ending = record.open?.end()
    if (ending !== undefined) await ending
    // Wait for the store's reply, because it tells which window the held cost went to.
    if (record.correcting !== undefined) await record.correcting
    record.settlement = { kind: 'made', to: actual }
    if (!isCharge(record)) return
    if (typeof actual === 'object')
      this.#parts.adviser?.noticeCostNames(actual, record.result.check.policies, this.#parts.warn)
    await this.#decideCharge(record, this.#settlement(record, actual))
  }

  /**
   * Begins to wait for the end of a request whose cost is held. The cost is charged if no end comes before its permit ends.
   */
  hold(decision: Decision, check: Check): void {
    if (!holdsCost(check)) return
    const record = recordOf(decision)
    if (isCharge(record)) this.#held.add(record)
  }

  /**
   * Handles the response that the application decided. If the request counts, a held cost is charged, else the whole charge is
   * refunded. While `counts` is pending, the cost stays held, but no longer than its permit. Works once per decision.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    const record = recordOf(decision)
    if (record.answer !== 'none') return
    record.answer = typeof counts === 'object' ? 'awaited' : 'given'
    if (typeof counts !== 'object') return this.#concludeBy(record, counts)
    this.#answers.begin()
    try {
      const isCounted = await counts.catch(() => true)
      record.answer = 'given'
      await this.#concludeBy(record, isCounted)
    } finally {
      this.#answers.end()
    }
  }

  async #concludeBy(record: ChargeRecord, isCounted: boolean): Promise<void> {
    if (isCounted) return this.#chargeHeld(record)
    if (record.settlement.kind !== 'none' || !isCharge(record)) return
    record.settlement = { kind: 'made', to: 0 }
    if (record.correcting !== undefined) await record.correcting
    await this.#decideCharge(record, this.#parts.corrections.keepPace(this.#settlement(record, 0)))
  }

  /**
   * Charges every held cost whose request has not ended, gives back the units that were taken in advance, and waits for all
   * that is under way, also for what begins meanwhile: checks, settlements, releases, answers of `chargeWhen`.
   *
   * Never rejects. It ends in any case: each call ends with its own deadline, and requests that keep coming are awaited no longer
   * than one of them may take.
   */
  async close(): Promise<void> {
    await this.#parts.leases?.close()
    await this.rest(() => {
      for (const record of this.#held.drain()) void this.#chargeHeld(record)
    })
    await this.#parts.evaluator.writeBack()
  }

  /** Waits for all that is under way, as {@link Charges.close} does. @param again is called while it waits */
  async rest(again?: () => void): Promise<void> {
    const { evaluator, numbers } = this.#parts
    const { storeTimeout, callbackTimeout } = numbers
    const { calls } = evaluator
    // The answer of chargeWhen, the correction that it waits for, and its own.
    await untilIdle([this.#answers, calls], callbackTimeout + 2 * storeTimeout, again)
    if (!this.#late.isIdle) await untilIdle([this.#late, calls], storeTimeout)
  }

  /** The units that a decision charged, by policy name. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    const record = recordOf(decision)
    const units = new Map<string, number>()
    if (!isCharge(record)) return units
    const charge = { ...record, ...UNCORRECTED }
    for (const [at, { name }] of record.result.check.policies.entries()) {
      const taken = chargeAt(charge, at)
      if (taken !== undefined) units.set(name, taken)
    }
    return units
  }

  /** Refunds the whole charge unless it was settled, and ends the request in flight. */
  async cancel(decision: Decision): Promise<void> {
    if (recordOf(decision).settlement.kind === 'none') await this.settle(decision, 0)
    await this.release(decision)
  }

  /**
   * Refunds the charge of a caller that has waited and not started, and ends its request in flight.
   *
   * @param inLine the key of the counter whose units are given back with the caller's place in its line
   */
  async abandon(decision: Decision, inLine?: string): Promise<void> {
    const record = recordOf(decision)
    if (record.settlement.kind === 'none' && isCharge(record)) {
      record.settlement = { kind: 'made', to: 0 }
      const group = unused(this.#settlement(record, 0), inLine)
      await this.#parts.corrections.correct(group, record.recordedIn, record.result.check.idempotency)
    }
    await this.release(decision)
  }

  /** Ends a request in flight, and charges a held cost unless `chargeWhen` is still pending. Works once per decision. */
  async release(decision: Decision): Promise<void> {
    const record = recordOf(decision)
    if (record.flight === 'ended' || !isCharge(record)) return
    const group = release(record)
    record.flight = 'ended'
    if (record.cost === 'decided' || record.answer === 'awaited')
      await this.#parts.corrections.correct(group, record.recordedIn, record.result.check.idempotency)
    else await this.#decideCharge(record, group)
  }

  /**
   * Notes that the store may have charged a decision. Waits for its reply if that only missed the deadline, then applies the local
   * decision, settlement and release to the store's charge.
   */
  awaitLateReply(decision: Decision, late: LateReply): void {
    const record = recordOf(decision)
    if (record.recordedIn === 'local') record.recordedIn = 'unknown'
    if (!late.mayArrive) return
    this.#late.begin()
    late.onArrival(
      result => void this.#applyLateReply(decision, record, result).finally(() => this.#late.end()),
    )
  }

  async #chargeHeld(record: ChargeRecord): Promise<void> {
    if (record.cost === 'open' && isCharge(record)) await this.#decideCharge(record, chargeHeldCost(record))
  }

  /** Applies the correction that charges or drops a held cost. */
  async #decideCharge(record: ActualCharge, correction: Group | undefined): Promise<void> {
    record.cost = 'decided'
    this.#held.delete(record)
    const correcting = this.#parts.corrections.correct(
      correction,
      record.recordedIn,
      record.result.check.idempotency,
    )
    record.correcting = correcting
    const evaluation = await correcting
    record.correcting = undefined
    if (correction !== undefined && evaluation !== undefined) record.taken = { group: correction, evaluation }
  }

  async #applyLateReply({ allowed }: Decision, record: ChargeRecord, result: CheckResult): Promise<void> {
    const { settlement: settled, flight, cost, recordedIn } = record
    const charge = { ...record, ...UNCORRECTED, answer: record.answer, result }
    if (allowed && recordedIn !== undefined) {
      record.result = result
      record.recordedIn = 'store'
      record.open?.adopt(result)
      // A settlement that is not made yet finds the charge in the record.
      if (settled.kind === 'begun') return
      if (settled.kind === 'made')
        await this.#parts.corrections.correct(this.#settlement(charge, settled.to), 'store')
      else if (cost === 'decided') await this.#parts.corrections.correct(chargeHeldCost(charge), 'store')
      else if (holdsCost(result.check)) this.#held.add(record)
      if (flight === 'ended')
        await this.#parts.corrections.correct(release({ ...charge, cost: 'decided' }), 'store')
      return
    }
    // A locally refused request used nothing, so refund it.
    if (!allowed) await this.#parts.corrections.correct(this.#settlement(charge, 0), 'store')
    // An uncounted request will never be released, so end its permit now.
    await this.#parts.corrections.correct(release({ ...charge, cost: allowed ? 'open' : 'decided' }), 'store')
  }

  #settlement(charge: ActualCharge, actual: Cost): Group | undefined {
    return settlement(charge, actual, this.#parts.evaluator.clock.now())
  }
}

/** Whether a policy of a check holds its cost until the application decides the response. */
function holdsCost({ extras }: Check): boolean {
  return extras !== undefined && extras.some(one => one?.at.flight !== undefined)
}

function isCharge(record: ChargeRecord): record is ActualCharge {
  return record.recordedIn !== undefined && record.result !== undefined
}

function recordOf(decision: Decision): ChargeRecord {
  const record = Decision.recordOf(decision)
  if (record !== undefined) return record
  throw new HaltError(
    'HALT_E_SETTLE',
    'This is not a decision of a limiter, or it is a copy of one.',
    'Pass the same object that check() returned.',
  )
}
