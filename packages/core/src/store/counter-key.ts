import type { Rule, State } from '../algorithms/index.ts'
import type { Demand, Group } from './contract.ts'

/** Reads and writes the counters for `decide`. Nobody else may change them meanwhile. */
export interface Counters {
  /**
   * Whether all calls of the store go by one clock. If it steps back, a line then goes on by the new time; otherwise the call comes
   * from a process whose clock is behind. Default false.
   */
  readonly hasOneClock?: boolean
  /** Returns a copy of a counter, which the caller may change; empty if there is none. Penalties and keys have no rule. */
  load(subject: string, counter: string, rule?: Rule): State
  /** Writes a counter. From `freshAt` (microseconds) on it equals a fresh counter, so it may be removed. */
  keep(subject: string, counter: string, state: State, freshAt: number): void
}

/**
 * The names of the counters that a policy has beside its own: `api@keys:t` holds the allowance of all unverified API keys of an
 * address, `login@held:c` the requests in flight. Every other name behind the `@` is a route.
 */
export const counterParts = { keys: 'keys', held: 'held' } as const

/**
 * The key of a counter, for stores with one key per counter. Different counters have different keys, because a counter's name
 * has no space.
 */
export function keyOf(subject: string, counter: string): string {
  return `${subject} ${counter}`
}

/** Whether two demands are about one counter. */
export function isSameCounter(a: Demand, b: Demand): boolean {
  return a.subject === b.subject && a.rule.counter === b.rule.counter
}

/** The keys of the counters of demands: a tenant's own counter stands behind that of the pool. */
export function keysOfDemands(demands: readonly Demand[]): string[] {
  return demands.flatMap(demand => {
    const { share } = demand.terms ?? {}
    const key = keyOfDemand(demand)
    return share === undefined ? [key] : [key, keyOf(demand.subject, share.rule.counter)]
  })
}

/** Names the counters of a group, for messages. */
export function countersIn({ demands }: Group): string {
  return [...new Set(keysOfDemands(demands))].join(', ')
}

/** The key of a demand's counter. */
export function keyOfDemand({ subject, rule }: Demand): string {
  return keyOf(subject, rule.counter)
}
