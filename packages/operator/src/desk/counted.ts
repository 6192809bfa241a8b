import type { Control } from '@halt/control'
import type { Identity } from '@halt/core'

import type { LimiterEntry } from '../options.ts'
import type { CountedUnder } from '../watch/companions.ts'
import { findPolicies, type LimiterFinding } from './findings.ts'

/** Another key on which requests of a client were counted, and what its counters say. */
export interface CountedFinding {
  readonly key: string
  /** The policies that counted on it, and their last verdicts. */
  readonly last: readonly Omit<CountedUnder, 'key'>[]
  /** What those policies say of the key now. Empty if the key names nobody. */
  readonly now: readonly LimiterFinding[]
}

/** How many keys are asked about. */
const MOST_KEYS = 6

/** Asks the limiters about the other keys of a client. It charges nothing. */
export function findCounted(
  limiters: readonly LimiterEntry[],
  under: readonly CountedUnder[],
  control: Pick<Control, 'identityOf'>,
): Promise<CountedFinding[]> {
  const keys = [...new Set(under.map(({ key }) => key))].slice(0, MOST_KEYS)
  return Promise.all(
    keys.map(async key => {
      const last = under
        .filter(one => one.key === key)
        .map(({ policy, allowed, reason, at }) => ({ policy, allowed, reason, at }))
      return {
        key,
        last,
        now: await findNow(limiters, control.identityOf(key), new Set(last.map(({ policy }) => policy))),
      }
    }),
  )
}

async function findNow(
  limiters: readonly LimiterEntry[],
  identity: Identity | undefined,
  names: ReadonlySet<string>,
): Promise<LimiterFinding[]> {
  if (identity === undefined) return []
  const asked = limiters.flatMap(entry => {
    const policies = entry.policies.filter(({ name }) => names.has(name))
    return policies.length === 0 ? [] : [findPolicies(entry, identity, policies)]
  })
  return (await Promise.all(asked)).filter(({ allowed }) => allowed !== undefined)
}
