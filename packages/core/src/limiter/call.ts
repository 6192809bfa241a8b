import type { CheckResult } from '../check/check-result.ts'
import type { Check, PolicyExtras } from '../check/check.ts'
import { Decision } from '../check/decision.ts'
import { readDecision } from '../check/decision-reader.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { claimOf, type Holding, holdingsOf, notePayment, type OpenCall, takeOver } from '../check/holding.ts'
import { HaltError } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import { checkCost, type Cost, givenCost, readCost } from '../policy/cost.ts'
import type { Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Demand, Mode } from '../store/contract.ts'
import type { Adviser } from './adviser.ts'
import type { Charges } from './charges.ts'
import type { HoldKeeper, Owner } from './hold-keeper.ts'
import type { Reservation } from './reservation.ts'
import type { Witness } from './witness.ts'

/** The parts of a limiter that its calls use. */
export interface CallParts {
  readonly evaluator: Evaluator
  readonly charges: Charges
  readonly keeper: HoldKeeper
  readonly witness: Witness | undefined
  readonly adviser: Adviser | undefined
  readonly warn: Warn
  /** The rule of a holding's counter with the numbers of this moment. */
  readonly ruleOf: (holding: Holding) => Rule
}

/** Units that a call wants to use. */
interface Wanted {
  readonly holding: Holding
  readonly units: number
}

/** A payment of a call that is under way: so many units, of which the call holds some. */
interface Payment {
  readonly holding: Holding
  /** The fewest units that the call needs, and those that it asks for, to need no payment soon. */
  readonly need: number
  readonly cost: number
  /** Units that the call holds, and gives for it. */
  readonly units: number
}

/** A call that was reserved, until it is settled. */
export class Call implements Reservation, OpenCall, Owner {
  readonly decision: Decision
  readonly #parts: CallParts
  readonly #chunk: Cost | undefined
  #holdings: Holding[] = []
  #payment: Promise<boolean> | undefined
  #isEnded = false
  /** Whether another call has paid what was reserved, so that only what this one paid beyond it can be given back. */
  #isRepeat = false
  #refusal: Decision | undefined
  #controller: AbortController | undefined
  #loss: HaltError | undefined

  /**
   * @param cost the cost of the call, as it was given
   * @param chunk the units that a payment asks for. Default: a tenth of the units that were reserved
   */
  constructor(decision: Decision, cost: unknown, chunk: Cost | undefined, parts: CallParts) {
    this.decision = decision
    this.#chunk = chunk
    this.#parts = parts
    const record = Decision.recordOf(decision)
    if (record === undefined) return
    record.open = this
    if (typeof cost === 'number') parts.adviser?.noticeUnits(this.#policies, parts.warn)
    if (decision.allowed && decision.degraded === 'open') this.#noticeUnpaid()
    if (record.result !== undefined && record.recordedIn !== undefined)
      this.#hold(holdingsOf(record.result, record.recordedIn === 'store'))
    else if (record.result?.evaluation.repeated === true && decision.allowed) {
      this.#holdings = holdingsOf(record.result, true)
      this.#isRepeat = true
    }
  }

  readonly settle = async (actual: Cost): Promise<void> => {
    const units = this.#inUnitOfQuotas(actual)
    await this.#parts.charges.settle(this.decision, units)
    await this.#settleRepeat(units)
  }

  readonly cancel = async (): Promise<void> => {
    await this.#parts.charges.cancel(this.decision)
    await this.#settleRepeat(0)
  }

  readonly charge = async (more: Cost): Promise<boolean> => {
    if (more === undefined) readCost(more, 'more')
    checkCost(more)
    if (typeof more === 'object') this.#noticeNames(more)
    // One payment at a time, so that each knows what the one before has left.
    while (this.#payment !== undefined) await this.#payment
    if (this.#isEnded || !this.decision.allowed) return false
    const wanted = this.#holdings.map(holding => ({ holding, units: givenCost(holding.policy, more) ?? 0 }))
    if (isPaid(wanted)) return use(wanted)
    // The store cannot be told of a payment any more.
    if (this.#parts.charges.isStoreClosed) return false
    this.#payment = this.#pay(wanted)
    try {
      return await this.#payment
    } finally {
      this.#payment = undefined
    }
  }

  get holdings(): readonly Holding[] {
    return this.#holdings
  }

  get refusal(): Decision | undefined {
    return this.#refusal
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#loss !== undefined) this.#controller.abort(this.#loss)
    return this.#controller.signal
  }

  adopt(result: CheckResult): void {
    const before = this.#holdings
    const adopted = holdingsOf(result, true).map(stored => {
      const own = before.find(({ demand }) => isSameCounter(demand, stored.demand))
      return own === undefined ? stored : takeOver(own, stored)
    })
    if (this.#isEnded) this.#holdings = adopted
    else this.#hold(adopted)
  }

  end(): Promise<unknown> | undefined {
    this.#isEnded = true
    if (this.#payment !== undefined) return this.#payment.then(() => this.end())
    const moving = this.#holdings.flatMap(holding => this.#parts.keeper.remove(holding) ?? [])
    return moving.length === 0 ? undefined : Promise.all(moving)
  }

  #hold(holdings: Holding[]): void {
    this.#holdings = holdings
    for (const holding of holdings) if (holding.held > 0) this.#parts.keeper.add(holding, this)
  }

  async #pay(wanted: readonly Wanted[]): Promise<boolean> {
    const { evaluator, keeper, witness } = this.#parts
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
      const isPaid = result.closedPolicy < 0 && result.evaluation.allowed
      this.#note(payments, result, isPaid)
      if (!isPaid) this.#refuse(result, check)
      else if (result.degraded === 'open') this.#noticeUnpaid()
      else if (result.degraded === false) witness?.paid(result.check, result.evaluation)
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
      extras: isShadow ? payments.map(({ holding }) => extrasOf(holding.demand)) : undefined,
      demands: payments.map(({ holding, need, cost, units }) => ({
        rule: this.#parts.ruleOf(holding),
        subject: holding.demand.subject,
        cost,
        mode: holding.demand.mode,
        edges: holding.policy.edges(now),
        penalized: false,
        terms: termsOf(need < cost ? need : undefined, units > 0 ? { to: holding.to, units } : undefined),
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
    return { holding, need, cost, units }
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
      const isWanted = isPaid && (isCounted || !this.#isEnded)
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
    if (refunds.length > 0) this.#parts.charges.apply({ demands: refunds }).catch(() => {})
  }

  async #settleRepeat(actual: Cost): Promise<void> {
    if (!this.#isRepeat) return
    this.#isRepeat = false
    const demands = this.#holdings.flatMap((holding): Demand[] => {
      const { policy, demand, paid, part, inPart } = holding
      const used = actual === 0 ? 0 : (givenCost(policy, actual) ?? Math.max(holding.used, demand.cost))
      const back = Math.min(paid - Math.max(used, demand.cost), inPart)
      return back > 0
        ? [{ ...demand, mode: Mode.SETTLE, cost: -back, chargedTo: part, terms: undefined }]
        : []
    })
    // A correction that fails was reported already, and what was paid stays paid.
    if (demands.length > 0) await this.#parts.charges.apply({ demands }).catch(() => {})
  }

  #refuse(result: CheckResult, check: Check): void {
    const { evaluator, witness } = this.#parts
    const decision = Decision.freeze(readDecision(result, check, evaluator.clock))
    this.#refusal = decision
    const evaluation = result.degraded === false ? result.evaluation : undefined
    witness?.decided(decision, check, evaluation, undefined, undefined)
  }

  /** Hears that the units of a holding are lost. */
  lose({ policy, demand }: Holding): void {
    if (demand.mode === Mode.SHADOW || this.#isEnded) return
    this.#loss = new HaltError(
      'HALT_E_HOLD_LOST',
      `The units of "${policy.name}" that ${demand.subject} held have ended, and others have used them.`,
      'Stop the call, and settle it. A longer ttl outlives longer pauses.',
    )
    this.#controller?.abort(this.#loss)
  }

  /** The policies that decided the call; none if no counter did. */
  get #policies(): readonly CompiledPolicy[] {
    return Decision.recordOf(this.decision)?.result?.check.policies ?? []
  }

  /** A number in the unit of the call's quotas, such as money, by the names of the policies that count it. */
  #inUnitOfQuotas(actual: Cost): Cost {
    const [unit, other] = new Set(this.#holdings.flatMap(({ policy }) => policy.unit ?? []))
    // Of any unit nothing was used.
    if (!unit || !actual || typeof actual === 'object') return actual
    if (other) this.#parts.adviser?.noticeUnits(this.#policies, this.#parts.warn)
    return Object.fromEntries(
      this.#policies.flatMap(({ name, countsRequests, unit: own = unit }) =>
        !countsRequests && (other || own === unit) ? [[name, actual]] : [],
      ),
    )
  }

  #noticeNames(more: Exclude<Cost, number>): void {
    const policies = this.#policies
    if (policies.length > 0) this.#parts.adviser?.noticeCostNames(more, policies, this.#parts.warn)
  }

  #noticeUnpaid(): void {
    this.#parts.warn({
      code: 'HALT_W_UNPAID',
      message: 'The store did not answer, and onStoreError "open" let a call with a budget pass unpaid.',
      fix: 'Give the budget onStoreError: "local" or "closed".',
    })
  }
}

function isPaid(wanted: readonly Wanted[]): boolean {
  return wanted.every(({ holding: { used, paid }, units }) => used + units <= paid)
}

function use(wanted: readonly Wanted[]): true {
  for (const { holding, units } of wanted) holding.used += units
  return true
}

function termsOf(
  least: number | undefined,
  held: { to: number; units: number } | undefined,
): Demand['terms'] {
  return least === undefined && held === undefined ? undefined : { least, held }
}

function extrasOf({ mode }: Demand): PolicyExtras | undefined {
  return mode === Mode.SHADOW
    ? { shadow: true, addressCeiling: -1, inFlight: -1, share: -1, tenant: undefined, paid: 0 }
    : undefined
}

function isSameCounter(a: Demand, b: Demand): boolean {
  return a.subject === b.subject && a.rule.counter === b.rule.counter
}
