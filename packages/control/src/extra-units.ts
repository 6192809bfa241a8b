import { type ControlEntry, type Duration, fail, parseDuration } from '@halt/core/gate'
import type { ActOptions } from './entries.ts'

/** What is known of a client's quota before it gets more for a time. */
export interface QuotaNow {
  readonly name: string
  /** The limit that holds for the client now, without grants. */
  readonly limit: number
  /** When the present period ends: Unix seconds. */
  readonly resetAt: number
  /** When the present day ends in the time zone of the quota: Unix milliseconds. */
  readonly endOfDay: number
}

/**
 * The limit and the end of an `override` that gives a client more of a quota for a time: `"today"`, or a duration. It ends with the period
 * at the latest. Then the limit is what it was, and what is used stays used. A grant lasts until the period ends instead.
 *
 * @param target the client, as entries name it
 * @throws HaltError `HALT_E_CONTROL` if the client has numbers of its own already, which the override would replace; `HALT_E_DURATION`
 */
export function extraUnits(
  { name, limit, resetAt, endOfDay }: QuotaNow,
  units: number,
  span: string,
  target: string,
  entries: readonly ControlEntry[],
): { readonly limit: number; readonly options: Pick<ActOptions, 'for' | 'until'> } {
  const own = entries.find(
    entry => entry.kind === 'override' && entry.policy === name && entry.target === target,
  )
  if (own !== undefined)
    fail(
      'HALT_E_CONTROL',
      `${target} has numbers of its own for ${name}${own.numbers?.limit === undefined ? '' : `, limit ${own.numbers.limit}`}, which would be lost.`,
      `Give it a limit of ${limit + units} by override, or take its numbers back first.`,
    )
  const isToday = span === 'today'
  const ms = isToday ? 0 : parseDuration(span as Duration, 'for') / 1000
  const until = isToday ? endOfDay : Date.now() + ms
  // The numbers of a client hold in the next period, too.
  const isWithin = until < resetAt * 1000
  if (!isWithin) return { limit: limit + units, options: { until: new Date(resetAt * 1000) } }
  return {
    limit: limit + units,
    options: isToday ? { until: new Date(until) } : { for: span as Duration },
  }
}
