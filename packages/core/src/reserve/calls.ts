import type { Endings } from '../base/idleness.ts'
import type { Rule } from '../algorithms/index.ts'
import { HaltError } from '../base/errors.ts'
import type { Adviser } from '../charge/adviser.ts'
import type { Charges } from '../charge/charges.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import { type Holding, holdingsOf, type OpenCall, takeOver } from '../check/holding.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { checkCost, checkOwed, type Cost, givenCost, readCost } from '../policy/cost.ts'
import type { Subject } from '../request/identity.ts'
import { type Demand, Mode } from '../store/contract.ts'
import { isSameCounter } from '../store/counter-key.ts'
import { type Owner, HoldKeeper } from './hold-keeper.ts'
import { noticeUnpaid, Payments, type PaymentsParts, use } from './payments.ts'
import type { Reservation } from './reserve-options.ts'

/** The parts of a limiter that its calls use. */
export interface CallParts extends PaymentsParts {
  readonly charges: Charges
  readonly adviser: Adviser | undefined
}

/** A call that was reserved, until it is settled. */
export class Call implements Reservation, OpenCall, Owner {
  readonly decision: Decision
  readonly #parts: CallParts
  readonly #payments: Payments
  #holdings: Holding[] = []
  #payment: Promise<boolean> | undefined
  #isEnded = false
  /** Whether another call has paid what was reserved, so that only what this one paid beyond it can be given back. */
  #isRepeat = false
  #controller: AbortController | undefined
  #loss: HaltError | undefined

  /** @param cost the cost of the call, as it was given */
  constructor(decision: Decision, cost: unknown, chunk: Cost | undefined, parts: CallParts) {
    this.decision = decision
    this.#parts = parts
    this.#payments = new Payments(chunk, parts, () => this.#isEnded)
    const record = Decision.recordOf(decision)
    if (record === undefined) return
    record.open = this
    if (typeof cost === 'number') parts.adviser?.noticeUnits(this.#policies, parts.warn)
    if (decision.allowed && decision.degraded === 'open') noticeUnpaid(parts.warn)
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
    for (const { policy, demand } of this.#holdings) checkOwed(more, policy, demand.rule)
    const { adviser, warn } = this.#parts
    if (typeof more === 'object' && this.#policies.length > 0)
      adviser?.noticeCostNames(more, this.#policies, warn)
    // One payment at a time, so that each knows what the one before has left.
    while (this.#payment !== undefined) await this.#payment
    if (this.#isEnded || !this.decision.allowed) return false
    const wanted = this.#holdings.map(holding => ({ holding, units: givenCost(holding.policy, more) ?? 0 }))
    if (wanted.every(({ holding: { used, paid }, units }) => used + units <= paid)) return use(wanted)
    // The store cannot be told of a payment any more.
    if (this.#parts.corrections.isStoreClosed) return false
    this.#payment = this.#payments.pay(wanted)
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
    return this.#payments.refusal
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
    if (demands.length > 0) await this.#parts.corrections.apply({ demands }).catch(() => {})
  }

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
}

/** The parts of a limiter of which its calls are made. */
export interface CallsParts extends Omit<CallParts, 'keeper' | 'ruleOf'> {
  readonly endings: Endings
  /** A policy with the numbers that hold for a subject now. */
  readonly policyNow: (policy: CompiledPolicy, subject: Subject) => CompiledPolicy
}

/**
 * The calls that a limiter reserves, and the keeper of the units that they hold. A file of its own with all that only calls need: a
 * limiter loads it when it reserves for the first time, and most limiters never do.
 */
export class Calls {
  readonly #parts: CallParts

  constructor({ endings, policyNow, ...parts }: CallsParts) {
    // Operators may have changed the numbers while a call runs.
    const ruleOf = ({ policy, demand }: Holding): Rule => {
      const rule = policyNow(policy, demand.subject).rule(undefined)
      return rule.counter === demand.rule.counter ? rule : demand.rule
    }
    const keeper = new HoldKeeper(parts.evaluator, parts.warn, ruleOf)
    // Callers whose turns still come hold their units.
    endings.add(async () => keeper.close(), true)
    this.#parts = { ...parts, keeper, ruleOf }
  }

  /** Makes the call of a decision. */
  open(decision: Decision, cost: unknown, chunk: Cost | undefined): Reservation {
    return new Call(decision, cost, chunk, this.#parts)
  }
}
