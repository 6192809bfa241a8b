import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/identity.ts'
import type { Demand, Group } from '../store/contract.ts'

/** One check of a request: the group that the store evaluates, and the policies behind its demands. */
export interface Check extends Group {
  /** The policies that count the request. The first demands belong to them, in this order. */
  readonly policies: readonly CompiledPolicy[]
  /** The extras of each policy, by its index. Undefined when no policy has any. */
  readonly extras: readonly (PolicyExtras | undefined)[] | undefined
}

/**
 * A policy's second demand. All unverified keys of one `address` share a counter. A policy that charges at the end of the request takes a
 * permit while the request is in `flight`.
 */
type Role = 'address' | 'flight'

/** The extras of a policy in one check: shadow mode, extra demands, units that are already paid. */
export interface PolicyExtras {
  /** Whether the policy runs in shadow mode for this key: it reports and never refuses. */
  readonly shadow: boolean
  /** The index of the policy's demand in each role that it has beside its own demand. */
  readonly at: { readonly [R in Role]?: number | undefined }
  /** The tenant's subject. */
  readonly tenant: string | undefined
  /**
   * Units that earlier guards already charged. The demand asks for the remainder; a retry pays in full; DEFER demands always
   * ask in full.
   */
  readonly paid: number
}

/** Makes a check of one demand for each policy, and nothing beside. */
export function plainCheck(policies: readonly CompiledPolicy[], demands: readonly Demand[]): Check {
  return { policies, extras: undefined, demands, penalty: undefined, idempotency: undefined }
}

/** The indexes of all demands of a policy: its own, then those in other roles. */
export function demandsAt({ extras }: Pick<Check, 'extras'>, policy: number): number[] {
  const { address, flight } = extras?.[policy]?.at ?? {}
  return [policy, address, flight].filter(index => index !== undefined)
}

/** Whether the policy at an index of the check runs in shadow mode. */
export function isShadowed({ extras }: Check, at: number): boolean {
  return extras !== undefined && extras[at]?.shadow === true
}

/**
 * The check reduced to some of its policies, with their extra demands.
 *
 * @param indexes the policies that stay, by their indexes
 * @param change changes a demand of a policy
 */
export function partOf(
  { policies, demands: original, extras }: Check,
  indexes: readonly number[],
  change: (demand: Demand, policy: CompiledPolicy) => Demand = demand => demand,
): Pick<Check, 'policies' | 'demands' | 'extras'> {
  const kept = indexes.map(i => policies[i] as CompiledPolicy)
  const changed = (at: number, i: number): Demand =>
    change(original[at] as Demand, policies[i] as CompiledPolicy)
  const demands = indexes.map(i => changed(i, i))
  const moved = ({ at, ...own }: PolicyExtras, i: number): PolicyExtras => {
    const move = (index: number | undefined): number | undefined =>
      index === undefined ? undefined : demands.push(changed(index, i)) - 1
    return { ...own, at: { address: move(at.address), flight: move(at.flight) } }
  }
  return { policies: kept, demands, extras: extras && indexes.map(i => extras[i] && moved(extras[i], i)) }
}

/** A caller that waits for its turn, as a check sees it. */
export interface QueuedCaller {
  /** The longest time that the caller still waits, in microseconds. */
  readonly maxWait: number
  /**
   * Called with the check before the store is asked. Returns the check to ask for; or a promise, if other callers of this process
   * wait for the same counters and ask first: the check is then built again once they have asked.
   *
   * @param client the caller of a request, or the subject of an identity
   */
  before(check: Check, client: Caller | Subject): Check | Promise<void>
}
