import { fromCaller } from '../base/warnings.ts'
import { describe, HaltError } from '../base/errors.ts'
import { type Headroom, type Policy, type PolicyBase, QuotaPeriod } from '../policy/policy.ts'
import type { Preset, QuotaPreset } from './preset.ts'
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
  /** Tokens per minute, of the input and the output together. */
  readonly tpm?: number | undefined
  /** Tokens of the input per minute. */
  readonly itpm?: number | undefined
  /** Tokens of the output per minute. */
  readonly otpm?: number | undefined
  /** Tokens per month. */
  readonly monthly?: number | undefined
  /** Millionths of a dollar per calendar period, such as `{ daily: usd(50), monthly: usd(900) }`. A budget that is used up answers 402. */
  readonly spend?: { readonly [P in QuotaPeriod]?: number | undefined } | undefined
  /**
   * The share of the budgets per minute that a call must leave to more important ones, 0 to 1, or a function that returns it for a
   * request. Default 0.
   */
  readonly headroom?: Headroom<R> | undefined
  /** The prefix of the policies' names. Default `"llm"`. */
  readonly name?: string | undefined
}

/** Options without a function. */
interface PlainOptions extends LlmBudgetOptions {
  readonly keyExtractor?: undefined
  readonly headroom?: number | undefined
}

/**
 * Makes the policies of an endpoint that is paid per token: requests and tokens per minute, tokens per month, and money per calendar
 * period.
 *
 * Each call counts as one request. Without `itpm`, `otpm` and `spend` the cost of a call is its number of tokens; with them, or beside
 * other policies, give costs by name with {@link llmCost}.
 *
 * @throws HaltError `HALT_E_POLICY` if it gets no budget; `HALT_E_PERIOD`
 * @example
 * const limiter = new RateLimiter({ store, policy: llmBudget({ rpm: 60, itpm: 90_000, otpm: 20_000, spend: { daily: usd(50) } }) })
 * const price = priceOf({ input: 3, output: 15 })
 * const cost = (input, output) => llmCost({ input, output, spend: price({ input, output }) })
 * const call = await limiter.reserve(request, { cost: cost(prompt, 4000), ttl: '2m' })
 * await call.settle(cost(usage.input, usage.output))
 */
export function llmBudget(options: PlainOptions): readonly (Preset | QuotaPreset)[]
export function llmBudget<R = unknown>(options: LlmBudgetOptions<R>): readonly Policy<R>[]
export function llmBudget(options: LlmBudgetOptions<never>): readonly Policy<never>[] {
  return fromCaller(llmBudget, () => budget(options))
}

function budget<R>(options: LlmBudgetOptions<R>): readonly Policy<R>[] {
  if (typeof options !== 'object' || options === null)
    throw new HaltError('HALT_E_POLICY', `llmBudget got ${describe(options)}.`, 'Give { rpm, tpm, monthly }.')
  checkNames(options as Record<string, unknown>, OPTIONS, 'llmBudget')
  const { rpm, tpm, itpm, otpm, monthly, spend, headroom, name = 'llm', ...common } = options
  const shared = { keyStrategy: 'user' as const, ...common }
  const perMinute = headroom === undefined ? { ...shared, window: 60 } : { ...shared, window: 60, headroom }
  const policies: Policy<R>[] = []
  const addTokens = (kind: string, limit: number | undefined): void => {
    if (limit !== undefined)
      policies.push({ ...perMinute, name: `${name}_${kind}tokens`, limit, unit: 'tokens' })
  }
  if (rpm !== undefined)
    policies.push({
      ...perMinute,
      name: `${name}_requests`,
      limit: rpm,
      counts: 'requests',
      unit: 'requests',
    })
  addTokens('', tpm)
  addTokens('input_', itpm)
  addTokens('output_', otpm)
  if (monthly !== undefined) {
    const period = QuotaPeriod.MONTHLY
    policies.push({ ...shared, name: `${name}_monthly_tokens`, limit: monthly, period, unit: 'tokens' })
  }
  for (const [period, limit] of spendOf(spend))
    policies.push({
      ...shared,
      name: `${name}_${period}_spend`,
      limit,
      period,
      unit: 'usd-micro',
      status: 402,
    })
  if (policies.length > 0) return Object.freeze(policies.map(policy => Object.freeze(policy)))
  throw new HaltError(
    'HALT_E_POLICY',
    'llmBudget got no budget.',
    'Give rpm, tpm, itpm, otpm, monthly or spend: { daily: usd(50) }.',
  )
}

function spendOf(spend: unknown): [QuotaPeriod, number][] {
  if (spend === undefined) return []
  const periods = Object.values(QuotaPeriod)
  const entries = typeof spend === 'object' && spend !== null ? Object.entries(spend) : []
  const given = entries.filter(([, limit]) => limit !== undefined) as [QuotaPeriod, number][]
  if (given.length > 0 && given.every(([period]) => periods.includes(period))) return given
  throw new HaltError(
    'HALT_E_PERIOD',
    `spend of llmBudget is ${describe(spend)}.`,
    `Give millionths of a dollar by period, such as { daily: usd(50) }. The periods are ${periods.join(', ')}.`,
  )
}

/** What a model call uses: tokens, and money in millionths of a dollar. */
export interface LlmUse {
  readonly input?: number | undefined
  readonly output?: number | undefined
  readonly spend?: number | undefined
}

/**
 * The cost of a model call for the policies of {@link llmBudget}, by name. A number is its tokens, for `tpm` and `monthly`.
 *
 * @param name the `name` of the budget
 * @throws HaltError `HALT_E_USAGE` for a use that names nothing, or other tokens than `input` and `output`
 */
export function llmCost(use: number | LlmUse, name = 'llm'): Readonly<Record<string, number>> {
  const { input = 0, output = 0, spend } = typeof use === 'number' ? { output: use } : checkedUse(use)
  const tokens = { [`${name}_tokens`]: input + output, [`${name}_monthly_tokens`]: input + output }
  if (typeof use === 'number') return tokens
  const own = { ...tokens, [`${name}_input_tokens`]: input, [`${name}_output_tokens`]: output }
  if (spend === undefined) return own
  return {
    ...own,
    ...Object.fromEntries(Object.values(QuotaPeriod).map(period => [`${name}_${period}_spend`, spend])),
  }
}

const USE = namesOf<LlmUse>({ input: true, output: true, spend: true })

// The use often is what a provider reported. A call must not be free because it reported nothing, or under other names.
function checkedUse(use: LlmUse): LlmUse {
  const given = Object.entries(use ?? {}).filter(([, units]) => units !== undefined)
  const other = given.find(([name]) => !USE.includes(name))
  if (given.length > 0 && other === undefined) return use
  throw new HaltError(
    'HALT_E_USAGE',
    other === undefined
      ? `The use is ${describe(use)}, which names no tokens.`
      : `The use names ${describe(other[0])}, which is none of ${USE.join(', ')}.`,
    'Give { input, output, spend }. If the model reported none, settle by what you charged or reserved, and not by 0.',
  )
}

const OPTIONS = namesOf<LlmBudgetOptions>({
  rpm: true,
  tpm: true,
  itpm: true,
  otpm: true,
  monthly: true,
  spend: true,
  headroom: true,
  name: true,
  keyStrategy: true,
  keyExtractor: true,
  onMissingKey: true,
  plan: true,
})
