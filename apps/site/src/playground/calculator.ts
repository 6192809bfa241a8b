import type { PlayPolicy } from './setup.ts'

/** What is known of a service. */
export interface Demand {
  /** The users who may be busy at the same time. */
  readonly users: number
  /** The requests of a busy, honest user per minute. */
  readonly perMinute: number
  /** The most requests that a user's program sends at once: those of a page. */
  readonly atOnce: number
  /** The requests per second that the service bears; 0 if it is not known. */
  readonly capacity: number
}

/** Policies, and the sentences that say how they were found. */
export interface Proposal {
  readonly policies: readonly PlayPolicy[]
  readonly reasons: readonly string[]
}

/** Finds policies by the rules of docs/choosing-a-number.md. */
export function propose({ users, perMinute, atOnce, capacity }: Demand): Proposal {
  const generous = 10 * perMinute
  const share = capacity > 0 ? Math.floor(capacity * 60 * 0.05) : generous
  const limit = Math.max(1, perMinute, Math.min(generous, share))
  const burst = Math.max(1, Math.ceil(atOnce * 1.5))
  const perUser: PlayPolicy = { name: 'per_user', limit, window: '1m', burst, keyStrategy: 'user' }
  const perAddress: PlayPolicy = { name: 'per_address', limit: 10 * limit, window: '1m', burst: 10 * burst }
  const busy = Math.ceil((users * perMinute) / 60)
  const reasons = [
    limit < generous
      ? `A user gets ${limit} per minute: 5 % of what the service bears, but not less than a busy user needs.`
      : `A user gets ${limit} per minute: ten times what a busy, honest user needs.`,
    `The burst is ${burst}: what a program sends at once, and half of it more.`,
    'An address gets ten times as much, because an office may share one.',
    `If all ${users} users are busy, ${busy} requests per second come.`,
  ]
  if (!(capacity > 0)) return { policies: [perUser, perAddress], reasons }
  const everybody: PlayPolicy = {
    name: 'everybody',
    limit: Math.max(1, Math.floor(capacity * 0.8)),
    window: '1s',
    keyStrategy: 'shared',
  }
  const fits = busy <= everybody.limit
  reasons.push(
    `Everybody together gets ${everybody.limit} per second: 80 % of what the service bears.`,
    fits
      ? 'That is enough for all of them.'
      : 'That is not enough for all of them: some are refused at the busiest time.',
  )
  return { policies: [perUser, perAddress, everybody], reasons }
}
