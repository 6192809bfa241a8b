import type { Check } from '../check/check.ts'
import { type Ask, PEEK } from '../check/ask.ts'
import {
  type AppliedControl,
  type Gate,
  type GateParts,
  NO_CONTROL,
  type NumbersOwner,
  type Passage,
} from '../limiter/gate.ts'
import type { Plan } from '../limiter/plan.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Caller } from '../request/caller.ts'
import type { FoundKey, Subject } from '../request/subject.ts'
import type { RequestView } from '../request/view.ts'
import { CallerIds } from './client-ids.ts'
import { ControlledPlans } from './controlled-plans.ts'
import { passageOf } from './passage.ts'
import type { ControlState } from './control-state.ts'

/** Says what operators have set in a `Control`, for a limiter. */
export class ControlGate implements Gate {
  readonly #state: () => ControlState | undefined
  readonly #parts: GateParts
  readonly #plans: ControlledPlans

  /** @param state what operators have set, as this process knows it now */
  constructor(state: () => ControlState | undefined, parts: GateParts) {
    this.#state = state
    this.#parts = parts
    this.#plans = new ControlledPlans(parts.plans, state, parts.clock)
  }

  pass(policies: readonly CompiledPolicy[], view: RequestView, ask: Ask): Passage | Promise<Passage> {
    const state = this.#state()
    if (state === undefined) return { policies }
    const policiesNow = state.changed(policies, this.#parts.clock)
    return state.hasAccess && ask.countersOnly !== true
      ? passageOf(state, policiesNow, view, ask, this.#parts)
      : { policies: policiesNow }
  }

  passSubject(policies: readonly CompiledPolicy[], subject: Subject, { countersOnly }: Ask): Passage {
    const state = this.#state()
    if (state === undefined) return { policies }
    const { clock } = this.#parts
    const entry = countersOnly === true ? undefined : state.accessOfSubject(subject, clock)
    return { entry, policies: state.changed(policies, clock) }
  }

  planForKey(plan: Plan, key: NumbersOwner): Plan {
    return this.#plans.forKey(plan, key)
  }

  planForKeys(plan: Plan, keys: readonly FoundKey[]): Plan {
    return this.#plans.forKeys(plan, keys)
  }

  numbered(policies: readonly CompiledPolicy[], keys: readonly FoundKey[]): readonly CompiledPolicy[] {
    const state = this.#state()
    const { clock } = this.#parts
    return state === undefined ? policies : state.overridden(state.changed(policies, clock), keys, clock)
  }

  accessOf(check: Check, client: Caller | Subject): 'block' | 'allow' | undefined {
    const state = this.#state()
    if (state?.hasAccess !== true) return undefined
    const { clock } = this.#parts
    const { demands } = check
    const entry =
      typeof client === 'string'
        ? state.accessOfSubject(client, clock)
        : state.accessOf(new CallerIds(client, [...demands, ...tenantsOf(check)]), clock)
    return entry === undefined ? undefined : entry.kind === 'block' ? 'block' : 'allow'
  }

  async applied(policies: readonly CompiledPolicy[], client: Caller | Subject): Promise<AppliedControl> {
    const state = this.#state()
    if (state === undefined) return NO_CONTROL
    const { clock, requestKeys } = this.#parts
    const numbersOf: AppliedControl['numbersOf'] = (name, subject) => {
      const policy = policies.find(one => one.name === name)
      return policy === undefined ? [] : state.numbersOf(policy, subject, clock)
    }
    if (typeof client === 'string') return { access: state.accessOfSubject(client, clock), numbersOf }
    const keys = state.namesCustom ? await requestKeys.findAll(policies, client, PEEK) : undefined
    return { access: state.accessOf(new CallerIds(client, keys), clock), numbersOf }
  }
}

/** The tenants of a check, who share a counter. */
function tenantsOf({ extras }: Check): { readonly subject: Subject }[] {
  return extras?.flatMap(one => (one?.tenant === undefined ? [] : { subject: one.tenant })) ?? []
}
