import type { Control } from '../control/control.ts'
import type { ControlState } from '../control/control-state.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { FoundKey } from '../request/subject.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { keyOfIdentity, type Plan, type PlanContext, Plans } from './plan.ts'

/** The part of a key that tells whose numbers hold. */
type Client = Pick<FoundKey, 'subject' | 'plain'>

/** The plans of a limiter, with the numbers that operators have set for single clients. */
export class ControlledPlans {
  readonly #plans: Plans
  readonly #control: Pick<Control, 'state'> | undefined
  readonly #clock: StoreClock

  constructor(context: PlanContext, control: Pick<Control, 'state'> | undefined, clock: StoreClock) {
    this.#plans = new Plans(context)
    this.#control = control
    this.#clock = clock
  }

  /** The plan of a list of policies, as everybody has them. */
  of(policies: readonly CompiledPolicy[]): Plan {
    return this.#plans.of(policies)
  }

  /** The plan with the numbers of a client, where all policies but the `shared` ones count that client. */
  forKey(plan: Plan, key: Client): Plan {
    const state = this.#control?.state
    if (state === undefined || hasNoNumbers(key, state)) return plan
    const keys = plan.policies.map(policy => keyOfIdentity(key.subject, policy))
    return this.#plans.of(state.overridden(plan.policies, keys, this.#clock))
  }

  /** The plan with the numbers of the clients that its policies count. */
  forKeys(plan: Plan, keys: readonly FoundKey[]): Plan {
    const state = this.#control?.state
    if (state === undefined || keys.every(key => hasNoNumbers(key, state))) return plan
    const policies = state.overridden(plan.policies, keys, this.#clock)
    return policies === plan.policies ? plan : this.#plans.of(policies)
  }
}

/** Whether no entry gives a client numbers of its own. Marks its key. */
function hasNoNumbers(key: Client, state: ControlState): boolean {
  if (key.plain === state.mark) return true
  if (state.hasOverrides && state.isOverridden(key.subject)) return false
  key.plain = state.mark
  return true
}
