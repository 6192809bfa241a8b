import type { Demand } from './contract.ts'

/**
 * The key of a counter, for stores with one key per counter. Different counters have different keys, because a counter's name
 * has no space.
 */
export function keyOf(subject: string, counter: string): string {
  return `${subject} ${counter}`
}

/** The key of a demand's counter. */
export function keyOfDemand({ subject, rule }: Demand): string {
  return keyOf(subject, rule.counter)
}
