import type { Cost, Reservation } from '@halt/core'
import { LimitedError, messageOf } from '@halt/core/http'

import type { CallParams, Model, ReportedUsage } from './model.ts'
import type { BudgetSettings } from './options.ts'
import { difference } from './pricing.ts'
import { type ModelUsage, readUsage, reportOf } from './usage.ts'

/** What a call of a model has reserved, pays and settles. */
export class Account {
  readonly #settings: Pick<BudgetSettings<never>, 'limiter' | 'pricing' | 'tokensOf'>
  readonly #model: Model
  readonly #call: Reservation
  readonly #input: number
  /** The tokens that were paid, by estimate. */
  #output = 0
  /** Their cost. Undefined while nothing was generated. */
  #paid: Cost | undefined
  #end: Promise<void> | undefined

  private constructor(
    settings: Pick<BudgetSettings<never>, 'limiter' | 'pricing' | 'tokensOf'>,
    model: Model,
    call: Reservation,
    input: number,
  ) {
    this.#settings = settings
    this.#model = model
    this.#call = call
    this.#input = input
  }

  /**
   * Reserves the estimated cost of a call.
   *
   * @throws LimitedError `HALT_E_LIMITED` if a budget is used up, and as `reserve`
   */
  static async open<R>(settings: BudgetSettings<R>, model: Model, params: CallParams): Promise<Account> {
    const { limiter, pricing, targetOf, inputOf, reserve } = settings
    const input = inputOf(params)
    const cost = pricing.costOf({ input, output: params.maxOutputTokens ?? settings.most })
    const call = await limiter.reserve(targetOf({ model, params }), { ...reserve, cost })
    if (!call.decision.allowed) throw new LimitedError(call.decision)
    return new Account(settings, model, call, input)
  }

  /** Aborted if the units were lost. */
  get signal(): AbortSignal {
    return this.#call.signal
  }

  /** Why the call must end, if the units were lost or a budget is used up. */
  get failure(): Error | undefined {
    const { signal, refusal } = this.#call
    if (signal.aborted) return signal.reason as Error
    return refusal && new LimitedError(refusal)
  }

  /** The tokens that were paid, as a model reports them. */
  get usage(): ReportedUsage {
    return reportOf(this.#input, Math.ceil(this.#output))
  }

  /** Pays for a text that was generated, and with the first one for the input. False if a budget is used up. */
  async pay(text: string): Promise<boolean> {
    const { pricing, tokensOf } = this.#settings
    const output = this.#output + tokensOf(text)
    const cost = pricing.costOf({ input: this.#input, output: Math.ceil(output) })
    if (!(await this.#call.charge(difference(cost, this.#paid)))) return false
    this.#output = output
    this.#paid = cost
    return true
  }

  /**
   * Settles the call by the usage that the model reported. If it reported none, what was paid or reserved stays charged.
   *
   * @param isCut whether the model failed, so that it need not report a usage
   */
  settle(reported: ReportedUsage, isGenerated = this.#paid !== undefined, isCut = false): Promise<void> {
    const usage = readUsage(reported, isGenerated)
    if (usage === undefined && isCut) return this.leave()
    return (this.#end ??= this.#call.settle(this.#costOf(usage) ?? {}))
  }

  /** Ends a call that was cut: what was generated stays paid. If nothing was, all is given back. */
  leave(): Promise<void> {
    return (this.#end ??= this.#paid === undefined ? this.#call.cancel() : this.#call.settle(this.#paid))
  }

  #costOf(usage: ModelUsage | undefined): Cost | undefined {
    try {
      if (usage !== undefined) return this.#settings.pricing.costOf(usage)
      this.#warn('reported no usage')
    } catch (error) {
      this.#warn(`reported a usage that has no price: ${messageOf(error)}`)
    }
    return undefined
  }

  #warn(what: string): void {
    this.#settings.limiter.warn({
      code: 'HALT_W_USAGE',
      message: `The model ${this.#model.provider}/${this.#model.modelId} ${what}, so the call was settled by an estimate.`,
      fix: 'Let the provider report it, as with stream_options: { include_usage: true }, or give tokens: a tokenizer of the model.',
    })
  }
}
