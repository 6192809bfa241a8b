import type { Policy, Cost, Duration, Identity, RateLimiter, RequestView } from '@halt/core'
import { HaltError } from '@halt/core'
import { checkNames, describe, namesOf } from '@halt/core/http'

import type { CallParams, Model } from './model.ts'
import { type Price, Pricing } from './pricing.ts'
import { estimateTokens, textOf } from './tokens.ts'

/** A call of a model that is about to begin. */
export interface ModelCall {
  readonly model: Model
  readonly params: CallParams
}

/** Whose budgets a call uses: an identity, or a request of the limiter. */
type Target<R> = unknown extends R ? RequestView | Identity : R | RequestView | Identity

/** The parts of a `RateLimiter` that {@link budget} uses. */
type BudgetLimiter<R> = Pick<RateLimiter<R>, 'reserve' | 'compile' | 'policies' | 'warn'>

/** Options of {@link budget}. */
export interface BudgetOptions<R = unknown> {
  /** The limiter that has the budgets. */
  readonly limiter: BudgetLimiter<R>
  /** Whose budgets a call uses: an identity, a request of the limiter, or a function of the call. */
  readonly identity: Target<NoInfer<R>> | ((call: ModelCall) => Target<NoInfer<R>>)
  /**
   * The cost of tokens: units of all policies, or units by policy name. It gets tokens of `input`, `cached`, `written` and `output`. A
   * function of `priceOf` without `cached` or `written` prices these as `input`.
   */
  readonly price: Price
  /** The most tokens of an answer. The model is told, and the cost of so many is reserved. A call may ask for fewer. */
  readonly most: number
  /** The estimated tokens of the input. Default: those of the text of the prompt and of the tools. Files count nothing. */
  readonly input?: ((params: CallParams) => number) | undefined
  /** The tokens of a text, fractions too. Default: a token for four bytes. */
  readonly tokens?: ((text: string) => number) | undefined
  /**
   * How long units stay held if the process dies, 1 s to 24 h. `false`: the estimate is charged at once, and stays charged if the
   * process dies. Default: 2 minutes, and `false` if no policy is a quota.
   */
  readonly ttl?: Duration | false | undefined
  /**
   * The tokens that a stream has paid before the model makes them, at least those that it makes until it is stopped. Default: a
   * twentieth of `most`.
   */
  readonly ahead?: number | undefined
  /** The units that a stream pays ahead with one call of the store. Default: a tenth of the estimate. */
  readonly chunk?: Cost | undefined
  /** Policies that decide instead of the limiter's own. */
  readonly policy?: Policy<NoInfer<R>> | readonly Policy<NoInfer<R>>[] | undefined
}

/** Options of budgets, checked and with their defaults. */
export interface BudgetSettings<R> {
  readonly limiter: BudgetLimiter<R>
  readonly targetOf: (call: ModelCall) => Target<R>
  readonly pricing: Pricing
  readonly most: number
  readonly ahead: number
  readonly inputOf: (params: CallParams) => number
  readonly tokensOf: (text: string) => number
  readonly reserve: {
    readonly ttl: Duration | undefined
    readonly chunk: Cost | undefined
    readonly policy: BudgetOptions<R>['policy']
  }
}

const OPTIONS = namesOf<BudgetOptions>({
  limiter: true,
  identity: true,
  price: true,
  most: true,
  input: true,
  tokens: true,
  ahead: true,
  ttl: true,
  chunk: true,
  policy: true,
})

/** @throws HaltError `HALT_E_LIMITER`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_USAGE`, `HALT_E_COST` */
export function readOptions<R>(options: BudgetOptions<R>): BudgetSettings<R> {
  checkNames(options as never, OPTIONS, 'budget')
  const { limiter, identity, price, most, tokens = estimateTokens, chunk, policy } = options
  if (typeof (limiter as Partial<BudgetLimiter<R>> | undefined)?.reserve !== 'function')
    throw new HaltError(
      'HALT_E_LIMITER',
      `budget got ${describe(limiter)} for its limiter.`,
      'Give a RateLimiter: { limiter: new RateLimiter({ store, policy }) }.',
    )
  if (identity === undefined || identity === null)
    throw wrong(
      'identity',
      identity,
      'Say whose budget it is: { user: "team_a" }, or a function of the call.',
    )
  if (!Number.isSafeInteger(most) || most < 1)
    throw wrong('most', most, 'Give the most tokens of an answer that you allow, 1 or more.')
  const { ahead = Math.ceil(most / 20) } = options
  if (!Number.isSafeInteger(ahead) || ahead < 0)
    throw wrong('ahead', ahead, 'Give a number of tokens, 0 or more.')
  for (const name of ['price', 'input', 'tokens'] as const)
    if (typeof options[name] !== 'function' && (options[name] !== undefined || name === 'price'))
      throw wrong(
        name,
        options[name],
        name === 'price' ? 'Give priceOf({ input: 3, output: 15 }).' : 'Give a function.',
      )
  const { input = (params: CallParams) => tokens(textOf(params)) } = options
  return {
    limiter,
    targetOf: typeof identity === 'function' ? (identity as (call: ModelCall) => Target<R>) : () => identity,
    pricing: new Pricing(price),
    most,
    ahead,
    inputOf: params => Math.ceil(input(params)),
    tokensOf: tokens,
    reserve: { ttl: ttlOf(options), chunk, policy },
  }
}

function ttlOf<R>({ ttl, limiter, policy }: BudgetOptions<R>): Duration | undefined {
  if (ttl !== undefined) return ttl === false ? undefined : ttl
  const policies = policy === undefined ? limiter.policies : limiter.compile(policy)
  // A limiter whose policies depend on the request has none here.
  const hasQuota = policies.length === 0 || policies.some(({ calendar }) => calendar !== undefined)
  return hasQuota ? '2m' : undefined
}

function wrong(name: string, value: unknown, fix: string): HaltError {
  return new HaltError('HALT_E_OPTION', `${name} of budget is ${describe(value)}.`, fix)
}
