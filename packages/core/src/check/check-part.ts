import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Demand } from '../store/contract.ts'
import type { Check, PolicyExtras } from './check.ts'

/**
 * The check reduced to some of its policies, with their extra demands.
 *
 * @param indexes the policies that stay, by their indexes
 * @param change changes a demand of a policy
 */
export function partOf(
  { policies, demands: original, extras }: Check,
  indexes: readonly number[],
  change: (demand: Demand, policy: CompiledPolicy) => Demand = same,
): Pick<Check, 'policies' | 'demands' | 'extras'> {
  const kept = indexes.map(i => policies[i] as CompiledPolicy)
  const changed = (at: number, i: number): Demand =>
    change(original[at] as Demand, policies[i] as CompiledPolicy)
  const demands = indexes.map(i => changed(i, i))
  const move = (at: number, i: number): number => (at < 0 ? -1 : demands.push(changed(at, i)) - 1)
  const moved = ({ addressCeiling, inFlight, share, ...own }: PolicyExtras, i: number): PolicyExtras => ({
    ...own,
    addressCeiling: move(addressCeiling, i),
    inFlight: move(inFlight, i),
    share: move(share, i),
  })
  return { policies: kept, demands, extras: extras && indexes.map(i => extras[i] && moved(extras[i], i)) }
}

function same(demand: Demand): Demand {
  return demand
}
