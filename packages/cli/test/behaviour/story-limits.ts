import type { Policy, Quota } from '@halt/core'

/** So many requests of a customer per day, at a rate that no test refills. */
export const perUser: Policy = {
  name: 'per_user',
  limit: 10,
  window: '1d',
  algorithm: 'fixed-window',
  keyStrategy: 'user',
}
/** And so many per month. */
export const monthly: Quota = { name: 'monthly', limit: 12, period: 'monthly' }
