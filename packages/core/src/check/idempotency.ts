import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Digest } from '../base/digest.ts'
import type { Demand, IdempotencyDemand } from '../store/contract.ts'

/**
 * What charges a group once for a key, for as long as its longest policy counts.
 *
 * The key is bound to what the call asks for: whose counters, and how much of each. The same key with another cost, of other
 * policies or of somebody else is another call, and is charged.
 *
 * @param units what each policy is asked for, whatever earlier guards have charged of it
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
