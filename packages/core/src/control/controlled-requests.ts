import type { CheckParameters } from '../check/check-options.ts'
import type { Decision } from '../check/decision.ts'
import type { GateParts } from '../limiter/gate.ts'
import type { KeyOutcome } from '../limiter/key-resolver.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Caller, findClient } from '../request/caller.ts'
import type { RequestView } from '../request/view.ts'
import { CallerIds } from './client-ids.ts'
import type { ControlState } from './control-state.ts'
import type { ControlEntry } from './entries.ts'

type Decided = Decision | Promise<Decision>

/** Decides requests by what operators have set: whether the client is blocked or passes, then the numbers that hold now. */
export class ControlledRequests {
  readonly #parts: GateParts

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** @param policies the policies as the limiter has them */
  check(
    state: ControlState,
    policies: readonly CompiledPolicy[],
    view: RequestView,
    parameters: CheckParameters,
    ip: string | undefined,
  ): Decided {
    const { callers, clock, checkBy } = this.#parts
    const policiesNow = state.changed(policies, clock)
    if (!state.hasAccess) return checkBy(policiesNow, view, parameters, ip)
    // perf: bench "control"; the application's own function is asked once a request.
    const client =
      state.isByAddress && callers.resolveIp === undefined ? findClient(view, callers, ip) : undefined
    if (client?.unlisted === state.mark) return checkBy(policiesNow, view, parameters, ip, undefined, client)
    const caller = new Caller(view, callers, ip)
    const entry = state.accessOf(new CallerIds(caller), clock)
    // A permission gives way to the block of a custom id, which only a key tells.
    if (entry?.kind !== 'block' && state.namesCustom && policiesNow.some(extractsKey))
      return this.#checkByKeys(state, policiesNow, caller, parameters)
    if (entry !== undefined) return this.#obey(entry, policiesNow, caller, parameters)
    if (client?.address !== undefined) client.unlisted = state.mark
    return checkBy(policiesNow, view, parameters, ip, caller)
  }

  /** Decides by the entries about the custom ids of a request, too. */
  #checkByKeys(
    state: ControlState,
    policies: readonly CompiledPolicy[],
    caller: Caller,
    parameters: CheckParameters,
  ): Decided {
    const { requestKeys, clock, checkCounting } = this.#parts
    const decide = (keys: readonly KeyOutcome[]): Decided => {
      const entry = state.accessOf(new CallerIds(caller, keys), clock)
      return entry === undefined
        ? checkCounting(policies, keys, caller, parameters)
        : this.#obey(entry, policies, caller, parameters)
    }
    const keys = requestKeys.findAll(policies, caller, parameters)
    return 'then' in keys ? keys.then(decide) : decide(keys)
  }

  /** Refuses a client that an operator has blocked, or lets it pass uncounted. */
  #obey(
    entry: ControlEntry,
    [policy]: readonly CompiledPolicy[],
    caller: Caller,
    parameters: CheckParameters,
  ): Decision {
    const { uncounted } = this.#parts
    return entry.kind === 'allow'
      ? uncounted.allow(policy, caller, parameters)
      : uncounted.refuseBlocked(entry, policy, caller, parameters)
  }
}

function extractsKey({ keyExtractor, fair }: CompiledPolicy): boolean {
  return keyExtractor !== undefined || fair?.keyExtractor !== undefined
}
