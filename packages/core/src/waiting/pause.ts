import { parseDuration } from '../base/duration.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Subject } from '../request/subject.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import { keyOfIdentity } from '../limiter/plan.ts'

/**
 * Builds the group that refuses an identity for some time, by a cool-down of its counters. Quotas are left out. Undefined if no
 * policy is left.
 *
 * @param duration how long
 * @throws HaltError `HALT_E_DURATION`
 */
export function pauseGroup(
  subject: Subject,
  policies: readonly CompiledPolicy[],
  duration: unknown,
): Group | undefined {
  const cooldown = parseDuration(duration, 'for')
  const demands = policies
    .filter(({ off, calendar }) => !off && calendar === undefined)
    .map((policy): Demand => {
      const rule = { ...policy.rule(undefined), cooldown, reduced: undefined }
      const { subject: counted } = keyOfIdentity(subject, policy)
      return { rule, subject: counted, cost: 0, mode: Mode.BLOCK, penalized: false }
    })
  return demands.length === 0 ? undefined : { demands }
}
