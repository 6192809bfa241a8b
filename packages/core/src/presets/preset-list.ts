import type { PenaltyConfig } from '../policy/penalty-config.ts'
import type { Preset, QuotaPreset } from './preset.ts'
import {
  AUTH_ENDPOINTS,
  EXPENSIVE_OPS,
  GENEROUS_API,
  getPlanPolicy,
  PENALTY_LENIENT,
  PENALTY_MODERATE,
  PENALTY_STRICT,
  PLAN_BUSINESS,
  PLAN_ENTERPRISE,
  PLAN_FREE,
  PLAN_PRO,
  PLAN_STARTER,
  PLAN_TIERS,
  type PlanName,
  PUBLIC_API,
  QUOTA_ENTERPRISE_MONTHLY,
  QUOTA_FREE_DAILY,
  QUOTA_FREE_MONTHLY,
  QUOTA_PRO_DAILY,
  QUOTA_PRO_MONTHLY,
  STRICT_API,
} from './presets.ts'

/**
 * The presets by name.
 *
 * An interface, because editors show its texts where somebody writes `presets.`. A test holds them equal to the texts of the constants.
 */
export interface Presets {
  /**
   * Login and password pages: 5 requests per minute and address, bursts of 10. A refusal starts a cool-down of 5 minutes.
   * Private addresses are not exempt.
   */
  readonly AUTH_ENDPOINTS: Preset
  /**
   * Reports, exports, model calls: 10 units per hour and user, bursts of 15, and each request takes 10. So it admits **one** call,
   * a second one half an hour later, and then one per hour.
   */
  readonly EXPENSIVE_OPS: Preset
  /** Services of your own: 1000 requests per minute and address, bursts of 1200. */
  readonly GENEROUS_API: Preset
  /** Returns the policy of a plan. The name may be in upper or lower case. @throws HaltError `HALT_E_UNKNOWN_PLAN` */
  readonly getPlanPolicy: (name: PlanName | (string & {})) => Preset
  /** At 20 points, limits drop to three quarters for half an hour. 2 points per hour are forgiven. */
  readonly PENALTY_LENIENT: PenaltyConfig
  /** At 10 points, limits drop to a half for an hour. 1 point per hour is forgiven. */
  readonly PENALTY_MODERATE: PenaltyConfig
  /** At 5 points, limits drop to a quarter for two hours. Half a point per hour is forgiven. */
  readonly PENALTY_STRICT: PenaltyConfig
  /** 5000 requests per hour and user, bursts of 6000. */
  readonly PLAN_BUSINESS: Preset
  /** 20 000 requests per hour and user, bursts of 25 000. */
  readonly PLAN_ENTERPRISE: Preset
  /** 100 requests per hour and user, bursts of 120. All plans share one counter, so a change of plan keeps the used units. */
  readonly PLAN_FREE: Preset
  /** 2000 requests per hour and user, bursts of 2500. */
  readonly PLAN_PRO: Preset
  /** 500 requests per hour and user, bursts of 600. */
  readonly PLAN_STARTER: Preset
  /** The plans by name. */
  readonly PLAN_TIERS: Readonly<Record<PlanName, Preset>>
  /** A public API: 100 requests per minute and address, bursts of 120. */
  readonly PUBLIC_API: Preset
  /** 1 000 000 units per month. */
  readonly QUOTA_ENTERPRISE_MONTHLY: QuotaPreset
  /** 500 units per day. */
  readonly QUOTA_FREE_DAILY: QuotaPreset
  /** 10 000 units per month. */
  readonly QUOTA_FREE_MONTHLY: QuotaPreset
  /** 5000 units per day. */
  readonly QUOTA_PRO_DAILY: QuotaPreset
  /** 100 000 units per month. */
  readonly QUOTA_PRO_MONTHLY: QuotaPreset
  /** Sensitive operations: 20 requests per minute and API key, bursts of 25. */
  readonly STRICT_API: Preset
}

/** Every preset by its name, and `getPlanPolicy`. The object is frozen. */
// Written out, because bundlers keep all of a spread module, even if the object is not used.
export const presets: Presets = Object.freeze({
  AUTH_ENDPOINTS,
  EXPENSIVE_OPS,
  GENEROUS_API,
  getPlanPolicy,
  PENALTY_LENIENT,
  PENALTY_MODERATE,
  PENALTY_STRICT,
  PLAN_BUSINESS,
  PLAN_ENTERPRISE,
  PLAN_FREE,
  PLAN_PRO,
  PLAN_STARTER,
  PLAN_TIERS,
  PUBLIC_API,
  QUOTA_ENTERPRISE_MONTHLY,
  QUOTA_FREE_DAILY,
  QUOTA_FREE_MONTHLY,
  QUOTA_PRO_DAILY,
  QUOTA_PRO_MONTHLY,
  STRICT_API,
})
