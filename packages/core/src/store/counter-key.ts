import type { Demand, Group } from './contract.ts'

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

/** Names the counters of a group, for messages. */
export function countersIn({ demands }: Group): string {
  return [...new Set(demands.map(keyOfDemand))].join(', ')
}

/** The key of a demand's counter. */
export function keyOfDemand({ subject, rule }: Demand): string {
  return keyOf(subject, rule.counter)
}
