import type { Ask } from '../check/ask.ts'
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
  check(state: ControlState, policies: readonly CompiledPolicy[], view: RequestView, ask: Ask): Decided {
    const { callers, clock, checkBy } = this.#parts
    const policiesNow = state.changed(policies, clock)
    if (!state.hasAccess) return checkBy(policiesNow, view, ask)
    // perf: bench "control"; the application's own function is asked once a request.
    const client =
      state.isByAddress && callers.resolveIp === undefined ? findClient(view, callers, ask.ip) : undefined
    if (client?.unlisted === state.mark) return checkBy(policiesNow, view, ask, undefined, client)
    const caller = new Caller(view, callers, ask.ip)
    // It may come from a blocked address, and nobody reads the answer.
    if (state.blocksAddresses && caller.lostAddress)
      return this.#parts.uncounted.refuse(policiesNow[0], caller, 'missing-key', ask)
    const entry = state.accessOf(new CallerIds(caller), clock)
    // A permission gives way to the block of a custom id, which only a key tells.
    if (entry?.kind !== 'block' && state.namesCustom && policiesNow.some(extractsKey))
      return this.#checkByKeys(state, policiesNow, caller, ask)
    if (entry !== undefined) return this.#obey(entry, policiesNow, caller, ask)
    if (client?.address !== undefined) client.unlisted = state.mark
    return checkBy(policiesNow, view, ask, caller)
  }

  /** Decides by the entries about the custom ids of a request, too. */
  #checkByKeys(state: ControlState, policies: readonly CompiledPolicy[], caller: Caller, ask: Ask): Decided {
    const { requestKeys, clock, checkCounting } = this.#parts
    const decide = (keys: readonly KeyOutcome[]): Decided => {
      const entry = state.accessOf(new CallerIds(caller, keys), clock)
      return entry === undefined
        ? checkCounting(policies, keys, caller, ask)
        : this.#obey(entry, policies, caller, ask)
    }
    const keys = requestKeys.findAll(policies, caller, ask)
    return 'then' in keys ? keys.then(decide) : decide(keys)
  }

  /** Refuses a client that an operator has blocked, or lets it pass uncounted. */
  #obey(entry: ControlEntry, [policy]: readonly CompiledPolicy[], caller: Caller, ask: Ask): Decision {
    const { uncounted } = this.#parts
    return entry.kind === 'allow'
      ? uncounted.allow(policy, caller, ask)
      : uncounted.refuseBlocked(entry, policy, caller, ask)
  }
}

function extractsKey({ keyExtractor, fair }: CompiledPolicy): boolean {
  return keyExtractor !== undefined || fair?.keyExtractor !== undefined
}
