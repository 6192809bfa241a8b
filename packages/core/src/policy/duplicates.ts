import { HaltError } from '../base/errors.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { isSameRule } from './rule-compiler.ts'

/** Whether two policies are one: of one name, and counting on one counter up to the same numbers. */
export function isSamePolicy(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a === b || (a.name === b.name && isSameRule(a.rule(''), b.rule('')))
}

/** Whether two policies cannot stand in one group: they have one name, or would charge one counter twice. */
export function collides(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a.name === b.name || a.rule('').counter === b.rule('').counter
}

/**
 * Checks that no two policies of a group are one.
 *
 * @throws HaltError `HALT_E_DUPLICATE_POLICY`
 */
export function refuseDuplicates(compiled: readonly CompiledPolicy[]): void {
  const names = new Set<string>()
  const counters = new Set<string>()
  for (const policy of compiled) {
    const counter = policy.rule('').counter
    if (names.has(policy.name) || counters.has(counter)) {
      throw new HaltError(
        'HALT_E_DUPLICATE_POLICY',
        `Two policies of one limiter are named "${policy.name}" or share its counter.`,
        'Give each its own name (and counter): policies of one counter would charge it twice.',
      )
    }
    names.add(policy.name)
    counters.add(counter)
  }
}
