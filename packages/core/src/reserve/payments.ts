import type { Rule } from '../algorithms/index.ts'
import type { Warn } from '../base/warnings.ts'
import type { Corrections } from '../charge/corrections.ts'
import type { Witness } from '../charge/wings.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Check } from '../check/check.ts'
import { readDecision } from '../check/decision-reader.ts'
import { Decision } from '../check/decision.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { claimOf, type Holding, notePayment } from '../check/holding.ts'
import type { HoldKeeper } from './hold-keeper.ts'
import { type Cost, givenCost } from '../policy/cost.ts'
import { type Demand, Mode } from '../store/contract.ts'
import { isSameCounter } from '../store/counter-key.ts'

/** The parts of a limiter that the payments of its calls use. */
export interface PaymentsParts {
  readonly evaluator: Evaluator
  readonly corrections: Corrections
  readonly keeper: HoldKeeper
  readonly witness: Witness | undefined
  readonly warn: Warn
  /** The rule of a holding's counter with the numbers of this moment. */
  readonly ruleOf: (holding: Holding) => Rule
}

/** Units that a call wants to use. */
export interface Wanted {
  readonly holding: Holding
  readonly units: number
}

/** A payment of a call that is under way: so many units, of which the call holds some. */
interface Payment {
  readonly holding: Holding
  /** The units that the call asks for, to need no payment soon. */
  readonly cost: number
  /** Units that the call holds, and gives for it. */
  readonly units: number
  /** The same units, and the fewest that the call needs if it asks for more. */
  readonly terms: Demand['terms']
}

/** The payments of a call: it pays from the units that it holds, and charges the rest, before it uses them. */
export class Payments {
  /** The decision that refused the last payment that was refused. */
  refusal: Decision | undefined
  readonly #chunk: Cost | undefined
  readonly #parts: PaymentsParts
  readonly #isEnded: () => boolean

  /**
   * @param chunk the units that a payment asks for. Default: a tenth of the units that were reserved
   * @param isEnded whether the call has ended, so that it could not give back what it pays
   */
  constructor(chunk: Cost | undefined, parts: PaymentsParts, isEnded: () => boolean) {
    this.#chunk = chunk
    this.#parts = parts
    this.#isEnded = isEnded
  }

  /** Pays for units before they are used. Resolves to whether they were paid; then they are used. */
  async pay(wanted: readonly Wanted[]): Promise<boolean> {
    const { evaluator, keeper } = this.#parts
    const due = wanted.flatMap(({ holding, units }) => {
      const need = holding.used + units - holding.paid
      return need > 0 ? [{ holding, need }] : []
    })
    const moving = due.flatMap(({ holding }) => keeper.seize(holding) ?? [])
    if (moving.length > 0) await Promise.all(moving)
    try {
      const payments = due.map(({ holding, need }) => this.#claim(holding, need))
      const check = this.#checkOf(payments)
      const result = await evaluator.evaluate(check)
      const isPaid = result.degraded !== 'closed' && result.evaluation.allowed
      this.#note(payments, result, isPaid)
      if (!isPaid) this.#refuse(result, check)
      else if (result.degraded === 'open') noticeUnpaid(this.#parts.warn)
      return isPaid && use(wanted)
    } finally {
      for (const { holding } of due) keeper.release(holding)
    }
  }

  #checkOf(payments: readonly Payment[]): Check {
    const now = this.#parts.evaluator.clock.now()
    const isShadow = payments.some(({ holding }) => holding.demand.mode === Mode.SHADOW)
    return {
      policies: payments.map(({ holding }) => holding.policy),
      extras: isShadow
        ? payments.map(({ holding: { demand } }) =>
            demand.mode === Mode.SHADOW ? { shadow: true, at: {}, tenant: undefined, paid: 0 } : undefined,
          )
        : undefined,
      demands: payments.map(({ holding, cost, terms }) => ({
        rule: this.#parts.ruleOf(holding),
        subject: holding.demand.subject,
        cost,
        mode: holding.demand.mode,
        edges: holding.policy.edges(now),
        penalized: false,
        terms,
      })),
      penalty: undefined,
      idempotency: undefined,
    }
  }

  /** Takes units out of what the call holds, for a payment. */
  #claim(holding: Holding, need: number): Payment {
    const { policy, demand } = holding
    const chunk = this.#chunk === undefined ? undefined : givenCost(policy, this.#chunk)
    const cost = Math.max(need, chunk ?? Math.ceil(demand.cost / 10))
    const claim = claimOf(holding)
    const units = Math.min(claim?.units ?? 0, cost)
    holding.held -= units
    const least = need < cost ? need : undefined
    const held = units > 0 ? { to: holding.to, units } : undefined
    const terms = least === undefined && held === undefined ? undefined : { least, held }
    return { holding, cost, units, terms }
  }

  /** Notes what became of payments. */
  #note(payments: readonly Payment[], result: CheckResult, isPaid: boolean): void {
    const { evaluation, degraded, check, late } = result
    for (const [i, { holding, units }] of payments.entries()) {
      if (degraded === false) {
        if (isPaid && evaluation.passes[i] === true)
          notePayment(holding, check.demands[i]?.cost ?? 0, evaluation, i)
        // Of several nodes one that lets its part pass has given the units back.
        else if (evaluation.instants === undefined || evaluation.passes[i] !== true) holding.held += units
        continue
      }
      // A store that did not answer in time may have taken the units.
      if (late === undefined) holding.held += units
      const at = check.demands.findIndex(demand => isSameCounter(demand, holding.demand))
      if (!isPaid || evaluation.passes[at] !== true) continue
      const cost = check.demands[at]?.cost ?? 0
      // This process has charged the payment, and writes it back later. It can be given back, unless the store may have charged it, too.
      if (late === undefined) notePayment(holding, cost, evaluation, at)
      else holding.paid += cost
    }
    late?.onArrival(arrived => this.#noteLate(payments, arrived, isPaid, degraded))
  }

  /** The store has charged payments, after this process had decided without it. */
  #noteLate(
    payments: readonly Payment[],
    { evaluation, check }: CheckResult,
    isPaid: boolean,
    degraded: CheckResult['degraded'],
  ): void {
    const refunds: Demand[] = []
    for (const [i, { holding }] of payments.entries()) {
      const demand = check.demands[i]
      if (demand === undefined || evaluation.passes[i] !== true) continue
      const isCounted = isPaid && degraded === 'local'
      const before = holding.paid
      const isWanted = isPaid && (isCounted || !this.#isEnded())
      if (isWanted) {
        notePayment(holding, demand.cost, evaluation, i)
        // The payment was counted when this process charged it.
        if (isCounted) holding.paid = before
      }
      // A call that has ended could not give back what it had not used of these units.
      const back = isWanted ? Math.min(demand.cost, holding.owed) : demand.cost
      if (isWanted) holding.owed -= back
      const chargedTo = evaluation.states[i]?.[1]
      if (back > 0) refunds.push({ ...demand, mode: Mode.SETTLE, cost: -back, chargedTo, terms: undefined })
    }
    if (refunds.length > 0) this.#parts.corrections.apply({ demands: refunds }).catch(() => {})
  }

  #refuse(result: CheckResult, check: Check): void {
    const { evaluator, witness } = this.#parts
    const decision = Decision.freeze(readDecision(result, check, evaluator.clock))
    this.refusal = decision
    const evaluation = result.degraded === false ? result.evaluation : undefined
    witness?.decided(decision, check, evaluation, undefined, undefined)
  }
}

/** Marks units as used that are paid. */
export function use(wanted: readonly Wanted[]): true {
  for (const { holding, units } of wanted) holding.used += units
  return true
}

/** Warns that a call with a budget passed unpaid. */
export function noticeUnpaid(warn: Warn): void {
  warn({
    code: 'HALT_W_UNPAID',
    message: 'The store did not answer, and onStoreError "open" let a call with a budget pass unpaid.',
    fix: 'Give the budget onStoreError: "local" or "closed".',
  })
}
