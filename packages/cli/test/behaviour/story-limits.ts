import type { Policy, Quota } from '@halt/core'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'

/** So many requests of a customer per day, at a rate that no test refills. */
export const perUser: Policy = {
  name: 'per_user',
  limit: 10,
  window: '1d',
  algorithm: 'fixed-window',
  keyStrategy: 'user',
}
/** And so many per month, of which one has just begun. All processes know when: the first of them tells the others. */
export const monthly: Quota = { name: 'monthly', limit: 12, period: 'monthly', anchor: began() }

function began(): Date {
  return new Date((process.env['STORY_BEGAN'] ??= aMinuteAgo().toISOString()))
}
