import { type Policy, HaltError } from '@halt/core'

import type { NamedPolicies } from './named-policies.ts'
import type { LimitMetadata } from './limit-metadata.ts'

/** The policies that count the calls of a handler, as its decorators select them. */
export interface PolicySelection {
  /** True if the global policies count. */
  readonly global: boolean
  /** The names of policies that do not count. */
  readonly without: ReadonlySet<string>
  /** The policies that count in addition. */
  readonly added: readonly Policy[]
}

/**
 * Selects policies by the metadata of all scopes, from the widest to the narrowest. Each scope first skips policies and then
 * adds some. `@RateLimit()` without policies cancels a wider `@SkipRateLimit()`.
 *
 * @param counts true if the global policies count unless a decorator skips them
 * @throws HaltError for an unknown name, and for `override` in a scope without a policy
 */
export function selectPolicies(
  scopes: readonly LimitMetadata[],
  named: NamedPolicies,
  counts = true,
): PolicySelection {
  const without = new Set<string>()
  let skips = !counts
  let overrides = false
  let added: Policy[] = []
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

// `override` without a policy would switch all limits off, which is surely a mistake.
function assertHasPolicy({ limits }: LimitMetadata): void {
  if (limits.some(rule => rule.limits.length > 0)) return
  throw new HaltError(
    'HALT_E_OPTION',
    '@RateLimit has override, but no policy that replaces the global ones.',
    'Name a policy before it. To count nothing, use @SkipRateLimit().',
  )
}
