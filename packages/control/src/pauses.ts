import { type Duration, fail } from '@halt/core/gate'

import type { ActOptions } from './entries.ts'

/** The fields of a policy that decide whether it can be paused. */
interface Pausable {
  readonly name: string
  readonly period?: unknown
  readonly keyStrategy?: unknown
  readonly scope?: unknown
}

/**
 * Refuses a limit that cannot refuse one client alone, for desks of operators: a quota, a limit of all clients together, and one that counts
 * each route apart.
 *
 * @throws HaltError `HALT_E_CONTROL`
 * @example
 * checkPausable(policy)
 * await limiter.pause({ user: '42' }, { policy, ...pauseLength({ for: '2h' }) })
 */
export function checkPausable({ name, period, keyStrategy, scope }: Pausable): void {
  if (period !== undefined)
    fail(
      'HALT_E_CONTROL',
      `${name} is a quota, which cannot be paused.`,
      'Block the client, or give it other numbers.',
    )
  if (keyStrategy === 'shared')
    fail(
      'HALT_E_CONTROL',
      `${name} counts all clients together, so a pause would refuse everybody.`,
      'Change the numbers of the limit.',
    )
  if (scope === 'route')
    fail(
      'HALT_E_CONTROL',
      `${name} counts each route apart, and a pause names no route.`,
      'Give the client other numbers.',
    )
}

/** The length of a pause, as `limiter.pause` takes it: until somebody resumes the client, if the act has no end. */
export function pauseLength({ for: length, until }: Pick<ActOptions, 'for' | 'until'>): {
  readonly for?: Duration
} {
  if (until !== undefined) return { for: `${Math.max(1, Math.ceil(until.getTime() - Date.now()))}ms` }
  return length === undefined ? {} : { for: length }
}
