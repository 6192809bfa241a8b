import type { Demand } from './contract.ts'

/** The one text that names a counter, for stores that have one key a counter. Injective: a cell has no space. */
export function keyOf(subject: string, counter: string): string {
  return `${subject} ${counter}`
}

/** The key of a demand's counter. */
export function keyOfDemand({ subject, rule }: Demand): string {
  return keyOf(subject, rule.counter)
}
