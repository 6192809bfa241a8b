import { PenaltyManager, type Quota, QuotaManager } from '@halt/core'

import type { AnyLimiter, GivenPolicy } from '../options.ts'

/** Whether a policy is a quota of a calendar period. */
export function isQuota(policy: GivenPolicy): policy is Quota {
  return 'period' in policy && policy.period !== undefined
}

/** A quota manager that names the counters of a limiter. */
export function quotaManagerOf({ options, warn }: AnyLimiter): QuotaManager {
  const { store, secret, ipv6Prefix, control } = options
  return new QuotaManager(store, { secret, ipv6Prefix, control, warn })
}

/** A penalty manager that names the scores of a limiter; undefined if the limiter has no penalty. */
export function penaltyManagerOf({ options, warn }: AnyLimiter): PenaltyManager | undefined {
  const { store, secret, ipv6Prefix, control, penalty } = options
  if (penalty === undefined) return undefined
  const { recordOn: _, ...config } = penalty
  return new PenaltyManager({ store, config, secret, ipv6Prefix, control, warn })
}
