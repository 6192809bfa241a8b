import { keyOfIdentity, type Plan, type Plans } from '../limiter/plan.ts'
import type { NumbersOwner } from '../limiter/gate.ts'
import type { FoundKey } from '../request/subject.ts'
import type { StoreClock } from '../store/store-clock.ts'
import type { ControlState } from './control-state.ts'

/** The plans of a limiter, with the numbers that operators have set for single clients. */
export class ControlledPlans {
  readonly #plans: Plans
  readonly #state: () => ControlState | undefined
  readonly #clock: StoreClock

  constructor(plans: Plans, state: () => ControlState | undefined, clock: StoreClock) {
    this.#plans = plans
    this.#state = state
    this.#clock = clock
  }

  /** The plan with the numbers of a client, where all policies but the `shared` ones count that client. */
  forKey(plan: Plan, key: NumbersOwner): Plan {
    const state = this.#state()
    if (state === undefined || hasNoNumbers(key, state)) return plan
    const keys = plan.policies.map(policy => keyOfIdentity(key.subject, policy))
    return this.#plans.of(state.overridden(plan.policies, keys, this.#clock))
  }

  /** The plan with the numbers of the clients that its policies count. */
  forKeys(plan: Plan, keys: readonly FoundKey[]): Plan {
    const state = this.#state()
    if (state === undefined || keys.every(key => hasNoNumbers(key, state))) return plan
    const policies = state.overridden(plan.policies, keys, this.#clock)
    return policies === plan.policies ? plan : this.#plans.of(policies)
  }
}

/** Whether no entry gives a client numbers of its own. Marks its key. */
function hasNoNumbers(key: NumbersOwner, state: ControlState): boolean {
  if (key.plain === state.mark) return true
  if (state.hasOverrides && state.isOverridden(key.subject)) return false
  key.plain = state.mark
  return true
}
