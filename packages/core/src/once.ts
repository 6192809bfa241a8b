import type { CompiledPolicy } from './compiled-policy.ts'
import type { Digest } from './digest.ts'
import type { Demand, OnceDemand } from './store/contract.ts'

/**
 * What charges a group once for a key, for as long as its longest policy counts.
 *
 * Beside the first policy's counter, so that one limiter's keys are not another's, and for the same subjects only, so that
 * nobody's key is anybody else's.
 */
export function onceOf(
  idempotencyKey: string,
  policies: readonly CompiledPolicy[],
  demands: readonly Demand[],
  digest: Digest,
): OnceDemand {
  const window = Math.max(...policies.map(policy => policy.window))
  const edges = demands.map(demand => demand.edges).filter(found => found !== undefined)
  const last = edges.sort((a, b) => b[1] - a[1])[0]
  const { subject, rule } = demands[0] as Demand
  const counter = rule.cell.slice(0, rule.cell.search(/[@:]/))
  const others = new Set(demands.slice(0, policies.length).map(demand => demand.subject))
  others.delete(subject)
  const whose = others.size === 0 ? '' : `.${digest(JSON.stringify([...others]))}`
  return { subject, cell: `${counter}@${digest(idempotencyKey)}${whose}:i`, window, edges: last }
}
