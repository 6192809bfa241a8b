import { type AnyPolicy, HaltError } from '@halt/core'

import type { NamedPolicies } from './named-policies.ts'
import type { LimitMetadata } from './limit-metadata.ts'

/** What decorators make of the global policies. */
export interface PolicySelection {
  /** Whether the global policies count. */
  readonly global: boolean
  /** The names of those that do not. */
  readonly without: ReadonlySet<string>
  /** What counts beside them. */
  readonly added: readonly AnyPolicy[]
}

/**
 * Reads rules from the widest scope to the narrowest; in each, what is skipped before what is added. `@RateLimit()`, which
 * names nothing, takes back a wider `@SkipRateLimit()`.
 *
 * @param counts whether the global policies count where no rule says anything
 * @throws HaltError for an unknown name, and for `override` in a scope that names nothing
 */
export function selectPolicies(
  scopes: readonly LimitMetadata[],
  named: NamedPolicies,
  counts = true,
): PolicySelection {
  const without = new Set<string>()
  let skips = !counts
  let overrides = false
  let added: AnyPolicy[] = []
  for (const metadata of scopes) {
    for (const names of metadata.skips) {
      const skipped = names.flatMap(name => named.namesOf(name))
      for (const name of skipped) without.add(name)
      if (names.length === 0) skips = true
      added = names.length === 0 ? [] : added.filter(policy => !skipped.includes(policy.name))
    }
    if (metadata.limits.some(({ override }) => override)) {
      assertHasPolicy(metadata)
      overrides = true
      added = []
    }
    if (metadata.limits.some(({ limits, override }) => limits.length === 0 && !override)) skips = false
    for (const limit of metadata.limits.flatMap(rule => rule.limits)) {
      added.push(...(typeof limit === 'string' ? named.find(limit) : [limit]))
    }
  }
  return { global: !skips && !overrides, without, added: [...new Set(added)] }
}

// It would switch all limits off, which nobody writes so.
function assertHasPolicy({ limits }: LimitMetadata): void {
  if (limits.some(rule => rule.limits.length > 0)) return
  throw new HaltError(
    'HALT_E_OPTION',
    '@RateLimit has override, but no policy that decides instead.',
    'Name a policy before it; to count nothing, @SkipRateLimit().',
  )
}
