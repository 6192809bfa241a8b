import {
  type AppliedControl,
  type Ask,
  Caller,
  type Check,
  type CompiledPolicy,
  findClient,
  type FoundKey,
  type Gate,
  type GateParts,
  keyOfIdentity,
  NO_CONTROL,
  type NumbersOwner,
  type Passage,
  PEEK,
  type Plan,
  type RequestView,
  type Subject,
} from '@halt/core/gate'
import { CallerIds } from './client-ids.ts'
import type { ControlState } from './control-state.ts'

/** Says what operators have set in a `Control`, for a limiter. */
export class ControlGate implements Gate {
  readonly #state: () => ControlState | undefined
  readonly #parts: GateParts

  /** @param state what operators have set, as this process knows it now */
  constructor(state: () => ControlState | undefined, parts: GateParts) {
    this.#state = state
    this.#parts = parts
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
    const state = this.#state()
    if (state === undefined || hasNoNumbers(key, state)) return plan
    const { clock, plans } = this.#parts
    // All policies but the `shared` ones count that client.
    const keys = plan.policies.map(policy => keyOfIdentity(key.subject, policy))
    return plans.of(state.overridden(plan.policies, keys, clock))
  }

  planForKeys(plan: Plan, keys: readonly FoundKey[]): Plan {
    const state = this.#state()
    if (state === undefined || keys.every(key => hasNoNumbers(key, state))) return plan
    const { clock, plans } = this.#parts
    const policies = state.overridden(plan.policies, keys, clock)
    return policies === plan.policies ? plan : plans.of(policies)
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

/**
 * Says whether an entry blocks the client of a request or lets it pass. It waits for the keys of the request only where an entry names a
 * custom id, which nothing else tells.
 *
 * @param policies the policies with the numbers that hold now
 */
function passageOf(
  state: ControlState,
  policies: readonly CompiledPolicy[],
  view: RequestView,
  ask: Ask,
  { callers, clock, requestKeys }: GateParts,
): Passage | Promise<Passage> {
  // perf: bench "control"; the application's own function is asked once a request.
  const client =
    state.isByAddress && callers.resolveIp === undefined ? findClient(view, callers, ask.ip) : undefined
  if (client?.unlisted === state.mark) return { policies, client }
  const caller = new Caller(view, callers, ask.ip)
  // It may come from a blocked address, and nobody reads the answer.
  if (state.blocksAddresses && caller.lostAddress) return { policies, caller, isLost: true }
  const entry = state.accessOf(new CallerIds(caller), clock)
  // A permission gives way to the block of a custom id.
  if (entry?.kind !== 'block' && state.namesCustom && policies.some(extractsKey)) {
    const keys = requestKeys.findAll(policies, caller, ask)
    const passage = (found: Passage['keys']): Passage => ({
      entry: state.accessOf(new CallerIds(caller, found), clock),
      policies,
      caller,
      keys: found,
    })
    return 'then' in keys ? keys.then(passage) : passage(keys)
  }
  if (entry === undefined && client?.address !== undefined) client.unlisted = state.mark
  return { entry, policies, caller }
}

function extractsKey({ keyExtractor, fair }: CompiledPolicy): boolean {
  return keyExtractor !== undefined || fair?.keyExtractor !== undefined
}

/** Whether no entry gives a client numbers of its own. Marks its key. */
function hasNoNumbers(key: NumbersOwner, state: ControlState): boolean {
  if (key.plain === state.mark) return true
  if (state.isOverridden(key.subject)) return false
  key.plain = state.mark
  return true
}
