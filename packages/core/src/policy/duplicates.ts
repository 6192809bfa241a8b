import { HaltError } from '../base/errors.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { isSameRule } from './rule-compiler.ts'

/** Whether two policies are the same: they have the same name, counter, limit, capacity and window. */
export function isSamePolicy(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a === b || (a.name === b.name && isSameRule(a.rule(''), b.rule('')))
}

/** Whether two policies cannot be in one group, because they have the same name or would charge the same counter twice. */
export function collides(a: CompiledPolicy, b: CompiledPolicy): boolean {
  return a.name === b.name || a.rule('').counter === b.rule('').counter
}

/**
 * Rejects a group in which two policies have the same name or the same counter.
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
        'Give each policy its own name and counter. Two policies with one counter would charge it twice.',
      )
    }
    names.add(policy.name)
    counters.add(counter)
  }
}
