import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Digest } from '../base/digest.ts'
import type { Demand, IdempotencyDemand } from '../store/contract.ts'

/**
 * Builds the demand that makes a store charge a group once per idempotency key, for the longest window or period of its policies.
 *
 * The key is bound to the counters of the call and to the units of each. The same key with another cost, other policies or
 * another client is another call, and is charged.
 *
 * @param units the full cost per policy, including the units that earlier guards charged
 */
export function idempotencyDemand(
  idempotencyKey: string,
  policies: readonly CompiledPolicy[],
  demands: readonly Demand[],
  units: readonly (number | string)[],
  digest: Digest,
): IdempotencyDemand {
  const window = Math.max(...policies.map(policy => policy.window))
  const edges = demands.map(demand => demand.edges).filter(found => found !== undefined)
  const last = edges.sort((a, b) => b[1] - a[1])[0]
  const charges = units.map((amount, at) => {
    const { subject, rule } = demands[at] as Demand
    return [subject, rule.counter, amount]
  })
  const { subject, rule } = demands[0] as Demand
  const policy = rule.counter.slice(0, rule.counter.search(/[@:]/))
  const counter = `${policy}@${digest(JSON.stringify([idempotencyKey, ...charges]))}:i`
  return { subject, counter, window, edges: last }
}
