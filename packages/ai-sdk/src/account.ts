import type { Cost, Reservation } from '@halt/core'
import { LimitedError, messageOf } from '@halt/core/http'

import type { CallParams, Model, ReportedUsage } from './model.ts'
import type { BudgetSettings } from './options.ts'
import { difference } from './pricing.ts'
import { type ModelUsage, readUsage, reportOf } from './usage.ts'

type Settings = Pick<BudgetSettings<never>, 'limiter' | 'pricing' | 'tokensOf' | 'ahead'>

/** What a call of a model has reserved, pays and settles. */
export class Account {
  readonly #settings: Settings
  readonly #model: Model
  readonly #call: Reservation
  readonly #input: number
  /** The tokens of the output that were reserved, and the cost of the call with these. */
  readonly #most: number
  readonly #reserved: Cost
  /** The tokens that the model has made, by estimate. Undefined while it was not asked. */
  #made: number | undefined
  #isGenerated = false
  /** The cost that was paid, for the input and for the tokens ahead too. */
  #paid: Cost | undefined
  #end: Promise<void> | undefined

  private constructor(
    settings: Settings,
    model: Model,
    call: Reservation,
    estimate: { readonly input: number; readonly most: number; readonly cost: Cost },
  ) {
    this.#settings = settings
    this.#model = model
    this.#call = call
    this.#input = estimate.input
    this.#most = estimate.most
    this.#reserved = estimate.cost
  }

  /**
   * Reserves the estimated cost of a call, and pays for its input, because the provider bills that even if this process dies.
   *
   * @param ahead the tokens of the output that are paid as well
   * @throws LimitedError `HALT_E_LIMITED` if a budget is used up; the reason of the caller's signal; and as `reserve`
   */
  static async open<R>(
    settings: BudgetSettings<R>,
    model: Model,
    params: CallParams,
    ahead: number,
  ): Promise<Account> {
    const { limiter, pricing, targetOf, inputOf, reserve } = settings
    const { abortSignal } = params
    abortSignal?.throwIfAborted()
    const input = inputOf(params)
    const most = params.maxOutputTokens ?? settings.most
    const cost = pricing.costOf({ input, output: most })
    const call = await limiter.reserve(targetOf({ model, params }), { ...reserve, cost })
    if (!call.decision.allowed) throw new LimitedError(call.decision)
    const account = new Account(settings, model, call, { input, most, cost })
    try {
      const isPaid = await account.#charge(ahead)
      // The caller may have left while the store was asked. Then the model is not asked.
      abortSignal?.throwIfAborted()
      if (isPaid) {
        account.#made = 0
        return account
      }
    } catch (error) {
      await account.leave()
      throw error
    }
    await account.leave()
    throw account.failure ?? new LimitedError(call.decision)
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

  /** The tokens that the model has made, by estimate, as a model reports them. */
  get usage(): ReportedUsage {
    return reportOf(this.#input, Math.ceil(this.#made ?? 0))
  }

  /** Pays for a text that the model has made, and for the tokens ahead of it. False if a budget is used up. @throws what `tokens` and `price` throw */
  async pay(text: string): Promise<boolean> {
    const made = (this.#made ?? 0) + this.#settings.tokensOf(text)
    // A count that has no price throws here, so that what was made before can still be settled.
    this.#costOfTokens(made)
    this.#made = made
    this.#isGenerated = true
    return this.#charge(made + this.#settings.ahead)
  }

  /** Pays for so many tokens of the output, but not beyond those that were reserved before they are made. */
  async #charge(tokens: number): Promise<boolean> {
    const output = Math.max(this.#made ?? 0, Math.min(tokens, this.#most))
    const cost = this.#costOfTokens(output)
    if (!(await this.#call.charge(difference(cost, this.#paid)))) return false
    this.#paid = cost
    return true
  }

  #costOfTokens(output: number): Cost {
    return this.#settings.pricing.costOf({ input: this.#input, output: Math.ceil(output) })
  }

  /**
   * Settles the call by the usage that the model reported. If it reported none, what was streamed or reserved is charged.
   *
   * @param hasFailed whether the model failed, so that it need not report a usage
   */
  settle(reported: unknown, isGenerated = this.#isGenerated, hasFailed = false): Promise<void> {
    const usage = readUsage(reported, isGenerated)
    if (usage === undefined && hasFailed) return this.fail()
    const estimate = this.#isGenerated ? this.#costOfMade() : undefined
    return (this.#end ??= this.#call.settle(this.#costOf(usage) ?? estimate ?? this.#reserved))
  }

  /** Ends a call that a budget has ended. What was paid ahead stays paid, because the model may have made more. */
  stop(): Promise<void> {
    return (this.#end ??= this.#call.settle(this.#paid ?? this.#reserved))
  }

  /** Ends a call that the model has failed. If it has made nothing, all is given back. */
  fail(): Promise<void> {
    return this.#isGenerated ? this.leave() : (this.#end ??= this.#call.cancel())
  }

  /** Ends a call whose caller has left: the input and what the model has made stay paid. If it was not asked, all is given back. */
  leave(): Promise<void> {
    const cost = this.#costOfMade()
    return (this.#end ??= cost === undefined ? this.#call.cancel() : this.#call.settle(cost))
  }

  /** Ends the call of a stream that nobody can read any more, and tells its author. */
  forget(): Promise<void> {
    this.#settings.limiter.warn({
      code: 'HALT_W_NEVER_SETTLED',
      message: `A stream of the model ${this.#name} was neither read to its end nor cancelled, and your code has forgotten it.`,
      fix: 'Read each stream to its end, or cancel or abort it.',
    })
    return this.leave()
  }

  get #name(): string {
    return `${this.#model.provider}/${this.#model.modelId}`
  }

  #costOfMade(): Cost | undefined {
    return this.#made === undefined ? undefined : this.#costOfTokens(this.#made)
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
      message: `The model ${this.#name} ${what}, so the call was settled by an estimate.`,
      fix: 'Let the provider report it, as with stream_options: { include_usage: true }, or give tokens: a tokenizer of the model.',
    })
  }
}
