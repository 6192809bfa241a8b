import { type ControlEntry, type Duration, fail, parseDuration } from '@halt/core/gate'
import type { ActOptions } from './entries.ts'

/** The state of a client's quota before the client gets more units for a time. */
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
 * at the latest. Then the limit is what it was, and what is used stays used. A grant lasts until the period ends instead. The override is
 * refused if another operator has given the client numbers meanwhile.
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
): { readonly limit: number; readonly options: Pick<ActOptions, 'for' | 'until' | 'replaces'> } {
  const own = entries.find(
    entry => entry.kind === 'override' && entry.policy === name && entry.target === target,
  )
  if (own !== undefined)
    fail(
      'HALT_E_CONTROL',
      `${target} has numbers of its own for ${name}${own.numbers?.limit === undefined ? '' : `, limit ${own.numbers.limit}`}, which would be lost.`,
      `Give it a limit of ${limit + units} by override, or take its numbers back first.`,
    )
  const length = span === 'today' ? undefined : (span as Duration)
  const end = length === undefined ? endOfDay : Date.now() + parseDuration(length, 'for') / 1000
  // Otherwise the numbers of the client would hold in the next period, too.
  const isCut = end >= resetAt * 1000
  const until = new Date(isCut ? resetAt * 1000 : end)
  return {
    limit: limit + units,
    options: { ...(isCut || length === undefined ? { until } : { for: length }), replaces: null },
  }
}
