import { fromCaller } from '../base/warnings.ts'
import { HaltError, describe } from '../base/errors.ts'
import type { QuotaPeriod } from '../policy/policy.ts'
import type { Preset, QuotaPreset } from './preset.ts'
import type { PenaltyConfig } from '../policy/penalty-config.ts'

const preset = (
  name: string,
  limit: number,
  window: number,
  burst: number,
  more: Partial<Preset> = {},
): Preset =>
  Object.freeze({
    name,
    limit,
    window,
    burst,
    algorithm: 'token-bucket',
    keyStrategy: 'ip',
    cost: 1,
    ...more,
  })

const plan = (name: string, limit: number, burst: number): Preset =>
  preset(`${name}_plan`, limit, 3600, burst, { keyStrategy: 'user', counter: 'plan', plan: name })

const quota = (name: string, limit: number, period: QuotaPeriod): QuotaPreset =>
  Object.freeze({ name, limit, period })

/** A public API: 100 requests per minute and address, bursts of 120. */
export const PUBLIC_API: Preset = preset('public_api', 100, 60, 120)

/**
 * Login and password pages: 5 requests per minute and address, bursts of 10. A refusal starts a cool-down of 5 minutes.
 * Private addresses are not exempt.
 */
export const AUTH_ENDPOINTS: Preset = preset('auth_endpoints', 5, 60, 10, {
  blockDuration: 300,
  exemptPrivateIps: false,
})

/**
 * Reports, exports, model calls: 10 units per hour and user, bursts of 15, and each request takes 10. So it admits **one** call,
 * a second one half an hour later, and then one per hour.
 */
export const EXPENSIVE_OPS: Preset = preset('expensive_ops', 10, 3600, 15, {
  cost: 10,
  keyStrategy: 'user',
})

/** Sensitive operations: 20 requests per minute and API key, bursts of 25. */
export const STRICT_API: Preset = preset('strict_api', 20, 60, 25, { keyStrategy: 'api-key' })

/** Services of your own: 1000 requests per minute and address, bursts of 1200. */
export const GENEROUS_API: Preset = preset('generous_api', 1000, 60, 1200)

/** 100 requests per hour and user, bursts of 120. All plans share one counter, so a change of plan keeps the used units. */
export const PLAN_FREE: Preset = plan('free', 100, 120)
/** 500 requests per hour and user, bursts of 600. */
export const PLAN_STARTER: Preset = plan('starter', 500, 600)
/** 2000 requests per hour and user, bursts of 2500. */
export const PLAN_PRO: Preset = plan('pro', 2000, 2500)
/** 5000 requests per hour and user, bursts of 6000. */
export const PLAN_BUSINESS: Preset = plan('business', 5000, 6000)
/** 20 000 requests per hour and user, bursts of 25 000. */
export const PLAN_ENTERPRISE: Preset = plan('enterprise', 20_000, 25_000)

/** The names of the plans. */
export type PlanName = 'free' | 'starter' | 'pro' | 'business' | 'enterprise'

/** The plans by name. */
export const PLAN_TIERS: Readonly<Record<PlanName, Preset>> = Object.freeze({
  free: PLAN_FREE,
  starter: PLAN_STARTER,
  pro: PLAN_PRO,
  business: PLAN_BUSINESS,
  enterprise: PLAN_ENTERPRISE,
})

/**
 * Returns the policy of a plan. The name may be in upper or lower case.
 *
 * @throws HaltError `HALT_E_UNKNOWN_PLAN`, which lists the names
 */
export const getPlanPolicy: (name: PlanName | (string & {})) => Preset = Object.freeze(function getPlanPolicy(
  name: string,
): Preset {
  const known = typeof name === 'string' ? name.toLowerCase() : ''
  if (Object.hasOwn(PLAN_TIERS, known)) return PLAN_TIERS[known as keyof typeof PLAN_TIERS]
  return fromCaller(getPlanPolicy, () => failForPlan(name))
})

function failForPlan(name: unknown): never {
  const names = Object.keys(PLAN_TIERS).join(', ')
  throw new HaltError('HALT_E_UNKNOWN_PLAN', `There is no plan ${describe(name)}.`, `The plans are ${names}.`)
}

/** 10 000 units per month. */
export const QUOTA_FREE_MONTHLY: QuotaPreset = quota('free_monthly_requests', 10_000, 'monthly')
/** 100 000 units per month. */
export const QUOTA_PRO_MONTHLY: QuotaPreset = quota('pro_monthly_requests', 100_000, 'monthly')
/** 1 000 000 units per month. */
export const QUOTA_ENTERPRISE_MONTHLY: QuotaPreset = quota(
  'enterprise_monthly_requests',
  1_000_000,
  'monthly',
)
/** 500 units per day. */
export const QUOTA_FREE_DAILY: QuotaPreset = quota('free_daily_requests', 500, 'daily')
/** 5000 units per day. */
export const QUOTA_PRO_DAILY: QuotaPreset = quota('pro_daily_requests', 5000, 'daily')

const penalty = (threshold: number, duration: number, multiplier: number, decayRate: number): PenaltyConfig =>
  Object.freeze({ threshold, duration, multiplier, decayRate })

/** At 20 points, limits drop to three quarters for half an hour. 2 points per hour are forgiven. */
export const PENALTY_LENIENT: PenaltyConfig = penalty(20, 1800, 0.75, 2)
/** At 10 points, limits drop to a half for an hour. 1 point per hour is forgiven. */
export const PENALTY_MODERATE: PenaltyConfig = penalty(10, 3600, 0.5, 1)
/** At 5 points, limits drop to a quarter for two hours. Half a point per hour is forgiven. */
export const PENALTY_STRICT: PenaltyConfig = penalty(5, 7200, 0.25, 0.5)
