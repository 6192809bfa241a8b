import {
  type AnyPolicy,
  definePolicy,
  type LimiterPenalty,
  llmBudget,
  type Policy,
  presets,
  type Quota,
  QuotaPeriod,
} from '@halt/core'

// Presets, with numbers small enough to watch: a real service takes them as they are.

/** Everybody, everywhere: 100 requests a minute an address, bursts of 120. */
export const EVERYBODY: Policy = presets.PUBLIC_API

/** Passwords: 3 tries in 5 seconds an address; once refused, refused for 3 seconds. */
export const LOGIN: Policy = definePolicy(presets.AUTH_ENDPOINTS, {
  name: 'login',
  limit: 3,
  window: '5s',
  burst: 3,
  blockDuration: '3s',
})

/** The name of a plan. */
export type Plan = 'free' | 'pro'

/** What each plan may ask for, a user: all on one counter, so that a change of plan keeps what was used. */
export const PLANS: Readonly<Record<Plan, Policy>> = {
  free: definePolicy(presets.PLAN_FREE, { limit: 5, window: '4s', burst: 5 }),
  pro: definePolicy(presets.PLAN_PRO, { limit: 50, window: '4s', burst: 50 }),
}

/** What a company may ask for in a month, all its users together: 8. */
export const COMPANY_MONTH: Quota<never> = {
  name: 'company_month',
  limit: 8,
  period: QuotaPeriod.MONTHLY,
  timeZone: 'Europe/Berlin',
}

/** A user's own limit and the month of their company, by plan: decided together, both charged or neither. */
export type UserLimits<R> = Readonly<Record<Plan, readonly AnyPolicy<R>[]>>

/**
 * Makes the limits of users. Once: each list is compiled when it is first met.
 *
 * @param companyOf whose month a request counts in; undefined: in nobody's
 */
export function userLimits<R>(companyOf: (request: R) => string | undefined): UserLimits<R> {
  const month: Quota<R> = { ...COMPANY_MONTH, keyExtractor: companyOf, onMissingKey: 'allow' }
  return { free: [PLANS.free, month], pro: [PLANS.pro, month] }
}

/**
 * Who is refused in three different seconds has half of the limits for ten. A storm within a second counts once. A real
 * service: `PENALTY_MODERATE`.
 */
export const PENALTY: LimiterPenalty = {
  threshold: 3,
  duration: '10s',
  multiplier: 0.5,
  decayRate: 60,
  cooldown: '1s',
}

/** The model, a user: 10 requests and 300 tokens a minute, 2000 tokens a month. */
export const MODEL: readonly AnyPolicy[] = llmBudget({ rpm: 10, tpm: 300, monthly: 2000 })
