import { fromCaller } from '../base/call-site.ts'
import type { AnyPolicy } from './compiled-policy.ts'
import { describe } from '../base/describe.ts'
import { HaltError } from '../base/errors.ts'
import { type Headroom, QuotaPeriod, type PolicyBase } from './policy.ts'
import { checkNames, namesOf } from '../base/options-check.ts'

/** Options of {@link llmBudget}: the budgets, and the fields that its policies share. */
export interface LlmBudgetOptions<R = unknown> extends Pick<
  PolicyBase<R>,
  'keyExtractor' | 'onMissingKey' | 'plan'
> {
  /** Whose budgets they are. Default `"user"`. */
  readonly keyStrategy?: PolicyBase<R>['keyStrategy']
  /** Requests per minute. */
  readonly rpm?: number | undefined
  /** Tokens per minute. */
  readonly tpm?: number | undefined
  /** Tokens per month. */
  readonly monthly?: number | undefined
  /**
   * The share of the budgets per minute that a call must leave to more important ones, 0 to 1, or a function that returns it for a
   * request. Default 0.
   */
  readonly headroom?: Headroom<R> | undefined
  /** The prefix of the policies' names. Default `"llm"`. */
  readonly name?: string | undefined
}

/**
 * Makes the policies of an endpoint that is paid per token: requests per minute, tokens per minute and tokens per month. They are
 * decided together, in one round trip.
 *
 * The cost of a call is its number of tokens. Each call counts as one request. If a limiter also has other policies, give costs
 * by name with {@link llmCost}. With `least`, a call gets as many tokens as are left, where they are fewer than its cost: so an answer
 * is shorter, and not refused.
 *
 * @throws HaltError `HALT_E_POLICY` if it gets no budget
 * @example
 * const limiter = new RateLimiter({ store, policy: llmBudget({ rpm: 60, tpm: 90_000, monthly: 5_000_000 }) })
 * const { decision, settle } = await limiter.reserve(request, { cost: prompt + 4000, least: prompt + 100 })
 * const granted = limiter.chargesOf(decision).get('llm_tokens') // so many for the prompt and its answer
 * await settle(used)
 */
export function llmBudget<R = unknown>(options: LlmBudgetOptions<R>): readonly AnyPolicy<R>[] {
  return fromCaller(llmBudget, () => budget(options))
}

function budget<R>(options: LlmBudgetOptions<R>): readonly AnyPolicy<R>[] {
  if (typeof options !== 'object' || options === null)
    throw new HaltError('HALT_E_POLICY', `llmBudget got ${describe(options)}.`, 'Give { rpm, tpm, monthly }.')
  checkNames(options as Record<string, unknown>, OPTIONS, 'llmBudget')
  const { rpm, tpm, monthly, headroom, name = 'llm', ...common } = options
  const shared = { keyStrategy: 'user' as const, ...common }
  const perMinute = headroom === undefined ? { ...shared, window: 60 } : { ...shared, window: 60, headroom }
  const policies: AnyPolicy<R>[] = []
  if (rpm !== undefined)
    policies.push({ ...perMinute, name: `${name}_requests`, limit: rpm, counts: 'requests' })
  if (tpm !== undefined) policies.push({ ...perMinute, name: `${name}_tokens`, limit: tpm })
  if (monthly !== undefined) {
    policies.push({ ...shared, name: `${name}_monthly_tokens`, limit: monthly, period: QuotaPeriod.MONTHLY })
  }
  if (policies.length > 0) return Object.freeze(policies.map(policy => Object.freeze(policy)))
  throw new HaltError('HALT_E_POLICY', 'llmBudget got no budget.', 'Give rpm, tpm or monthly.')
}

/** The cost of a model call for the token policies of {@link llmBudget}, by name: `{ llm_tokens, llm_monthly_tokens }`. */
export function llmCost(tokens: number, name = 'llm'): Readonly<Record<string, number>> {
  return { [`${name}_tokens`]: tokens, [`${name}_monthly_tokens`]: tokens }
}

const OPTIONS = namesOf<LlmBudgetOptions>({
  rpm: true,
  tpm: true,
  monthly: true,
  headroom: true,
  name: true,
  keyStrategy: true,
  keyExtractor: true,
  onMissingKey: true,
  plan: true,
})
