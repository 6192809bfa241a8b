import { definePolicy, type Policy, presets } from '@halt/core'

// The presets, with numbers small enough to watch: a real service takes them as they are.

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

/** What each plan may ask for, a user: all on one counter, so that a change of plan keeps what was used. */
export const PLANS: Readonly<Record<'free' | 'pro', Policy>> = {
  free: definePolicy(presets.PLAN_FREE, { limit: 5, window: '4s', burst: 5 }),
  pro: definePolicy(presets.PLAN_PRO, { limit: 50, window: '4s', burst: 50 }),
}

/** Messages on a socket: 3 in 10 seconds an address. */
export const MESSAGES: Policy = { name: 'messages', limit: 3, window: '10s' }

/** What the service renders for other services, all together: 2 in 10 seconds. */
export const RENDERS: Policy = { name: 'renders', limit: 2, window: '10s', keyStrategy: 'shared' }
