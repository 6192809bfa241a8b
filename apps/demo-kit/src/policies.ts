import {
  type Policy,
  definePolicy,
  type LimiterPenalty,
  llmBudget,
  presets,
  type Quota,
  QuotaPeriod,
} from '@halt/core'

// Presets with smaller numbers, so that you can watch them. A real service uses the presets themselves.

/** Every address, on all routes: 100 requests per minute, bursts of 120. */
export const EVERYBODY: Policy = presets.PUBLIC_API

/** Passwords: 3 tries in 5 seconds per address; a refusal starts a cool-down of 3 seconds. */
export const LOGIN: Policy = definePolicy(presets.AUTH_ENDPOINTS, {
  name: 'login',
  limit: 3,
  window: '5s',
  burst: 3,
  blockDuration: '3s',
})

/** The name of a plan. */
export type Plan = 'free' | 'pro'

/** The limit per user of each plan. All use one counter, so that a change of plan keeps what was used. */
export const PLANS: Readonly<Record<Plan, Policy>> = {
  free: definePolicy(presets.PLAN_FREE, { limit: 5, window: '4s', burst: 5 }),
  pro: definePolicy(presets.PLAN_PRO, { limit: 50, window: '4s', burst: 50 }),
}

/** The monthly quota of a company, for all its users together: 8 requests. */
export const COMPANY_MONTH: Quota<never> = {
  name: 'company_month',
  limit: 8,
  period: QuotaPeriod.MONTHLY,
  timeZone: 'Europe/Berlin',
}

/** A user's own limit and the quota of their company, by plan. They are decided together: both are charged or neither. */
export type UserLimits<R> = Readonly<Record<Plan, readonly Policy<R>[]>>

/**
 * Makes the limits of users. Call it once, because each list is compiled when a limiter first sees it.
 *
 * @param companyOf the company of a request; undefined for none
 */
export function userLimits<R>(companyOf: (request: R) => string | undefined): UserLimits<R> {
  const month: Quota<R> = { ...COMPANY_MONTH, keyExtractor: companyOf, onMissingKey: 'allow' }
  return { free: [PLANS.free, month], pro: [PLANS.pro, month] }
}

/**
 * A client that is refused in three different seconds gets half of its limits for ten seconds. Refusals within one second
 * count once. A real service uses `PENALTY_MODERATE`.
 */
export const PENALTY: LimiterPenalty = {
  threshold: 3,
  duration: '10s',
  multiplier: 0.5,
  decayRate: 60,
  cooldown: '1s',
}

/** The model, per user: 10 requests and 300 tokens per minute, 2000 tokens per month. */
export const MODEL: readonly Policy[] = llmBudget({ rpm: 10, tpm: 300, monthly: 2000 })
