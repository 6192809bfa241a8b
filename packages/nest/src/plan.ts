import type { AnyPolicy } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'

import type { NamedPolicies } from './named.ts'
import type { Rules } from './rules.ts'

/** How the calls of one handler are counted, found once from its decorators. */
export interface Plan {
  /** Whether nothing counts them. */
  readonly skip: boolean
  /** By what and how much they are counted where that is not as the module says. */
  readonly own: GuardOptions | undefined
  /** Whether there is something to do when they end. */
  readonly watches: boolean
  /** With a resolver: what is made of what it gives. Undefined: that itself. */
  readonly merge: ((resolved: AnyPolicy | readonly AnyPolicy[]) => readonly AnyPolicy[]) | undefined
}

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

/** The policies of a selection, given the global ones. */
export function merge(
  { global, without, added }: Selection,
  policies: readonly AnyPolicy[],
): readonly AnyPolicy[] {
  const kept = global ? policies.filter(policy => !without.has(policy.name) && !added.includes(policy)) : []
  return [...kept, ...added]
}

/** Whether a selection leaves the global policies as they are. */
export function isPlain({ global, without, added }: Selection): boolean {
  return global && without.size === 0 && added.length === 0
}
