import type { AppliedControl } from '../check/applied-control.ts'
import { NO_CONTROL } from '../check/applied-control.ts'
import type { ClientIds, Clock } from '../control/client-ids.ts'
import type { Control } from '../control/control.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Subject } from '../request/subject.ts'

/**
 * The entries of operators that apply to a request or to a subject now.
 *
 * @param policies the policies as the limiter has them, without the numbers of operators
 */
export function appliedControl(
  control: Control | undefined,
  policies: readonly CompiledPolicy[],
  client: ClientIds | Subject,
  clock: Clock,
): AppliedControl {
  const state = control?.state
  if (state === undefined) return NO_CONTROL
  return {
    access: typeof client === 'string' ? state.accessOfSubject(client, clock) : state.accessOf(client, clock),
    numbersOf: (name, subject) => {
      const policy = policies.find(one => one.name === name)
      return policy === undefined ? [] : state.numbersOf(policy, subject, clock)
    },
  }
}
