import type { Ask } from '../check/ask.ts'
import type { GateParts, Passage } from '../limiter/gate.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Caller, findClient } from '../request/caller.ts'
import type { RequestView } from '../request/view.ts'
import { CallerIds } from './client-ids.ts'
import type { ControlState } from './control-state.ts'

/**
 * Says whether an entry blocks the client of a request or lets it pass. It waits for the keys of the request only where an entry names a
 * custom id, which nothing else tells.
 *
 * @param policies the policies with the numbers that hold now
 */
export function passageOf(
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
