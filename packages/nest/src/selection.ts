import type { AnyPolicy } from '@halt/core'

import type { NamedPolicies } from './named.ts'
import type { Rules } from './rules.ts'

/** What decorators make of the global policies. */
export interface Selection {
  /** Whether the global policies count. */
  readonly global: boolean
  /** The names of those that do not. */
  readonly without: ReadonlySet<string>
  /** What counts beside them. */
  readonly added: readonly AnyPolicy[]
}

/** Reads rules from the widest scope to the narrowest; in each, what is skipped before what is added. */
export function select(scopes: readonly Rules[], named: NamedPolicies): Selection {
  const without = new Set<string>()
  let global = true
  let added: AnyPolicy[] = []
  for (const { limits, skips } of scopes) {
    for (const names of skips) {
      const skipped = names.flatMap(name => named.namesOf(name))
      for (const name of skipped) without.add(name)
      if (names.length === 0) global = false
      added = names.length === 0 ? [] : added.filter(policy => !skipped.includes(policy.name))
    }
    if (limits.some(({ override }) => override)) {
      global = false
      added = []
    }
    for (const limit of limits.flatMap(rule => rule.limits)) {
      added.push(...(typeof limit === 'string' ? named.find(limit) : [limit]))
    }
  }
  return { global, without, added: [...new Set(added)] }
}
