import { NOTED_ACTS } from '@halt/control'

import type { Acting } from './act.ts'
import type { ActName } from './act-call.ts'

/** Added to the result of an act that the store did not take. */
export const HERE_ALONE = 'This holds in this process alone, until the store answers.'

/** The acts that change counters, which only the store has. */
export const OF_COUNTERS: ReadonlySet<ActName> = new Set(NOTED_ACTS)

/**
 * Says that an act would hold in this process alone, because the store is away. Empty while the store answers.
 *
 * @throws the error of the store if the act would be refused
 */
export function offerHere({ away, call, control, limiters }: Acting): string[] {
  if (away === undefined) return []
  const isObeyed = limiters.some(({ limiter }) => limiter.options.control === control)
  const mayHoldHere = call.onStoreError === undefined ? isObeyed : call.onStoreError === 'local'
  if (OF_COUNTERS.has(call.act) || !mayHoldHere) throw away
  return [
    'The store does not answer, so this holds in this process alone. When the store answers, every process takes it over. If this process ends before, the act is lost.',
  ]
}
