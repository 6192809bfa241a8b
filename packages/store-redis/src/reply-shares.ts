import { type Demand, type Evaluation, type Group, Mode, type State } from '@halt/core/store'

import type { ReplyEntries } from './reply-value.ts'

/** Reads the rest of a tag that was moved on. Undefined if it cannot come from the script. @param until the first of its numbers */
export function readTag(until: number, rest: ReplyEntries, now: number): State | undefined {
  const tag = rest.takeInteger()
  const reading = rest.takeInteger()
  const epoch = rest.takeInteger()
  if (tag === undefined || reading === undefined || epoch === undefined) return undefined
  return until > now && tag > 0 && reading > 0 ? [0, until, tag, epoch, reading, epoch] : undefined
}

/** Whether a group is one check of a pool and of a tenant's share of it. */
export function isSharedCheck({ demands: [pool, share, ...others], penalty, idempotency }: Group): boolean {
  if (pool === undefined || others.length > 0 || penalty !== undefined || idempotency !== undefined)
    return false
  return share?.terms?.share !== undefined && isCharge(pool) && isCharge(share)
}

/**
 * Reads the numbers of a bucket that tenants share, and that refuses. Undefined if they cannot come from the script.
 *
 * @param since the instant of the bucket's counter; 0 if there is none
 * @param debt the counter's debt
 */
export function readSharedRefusal(
  since: number,
  debt: number,
  rest: ReplyEntries,
  { demands }: Group,
  now: number,
): Evaluation | undefined {
  const numbers = Array.from({ length: 6 }, () => rest.takeInteger())
  if (!numbers.every(number => number !== undefined && number >= 0) || since > now) return undefined
  const [sign, until, tag, tagEpoch, reading, epoch] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const { rule } = demands[0] as Demand
  if (sign > 2 || reading === 0) return undefined
  return {
    now,
    allowed: false,
    repeated: false,
    passes: [sign === 1, sign === 2],
    starts: [],
    states: [
      since === 0 ? [] : [0, since, debt, rule.unit, rule.rate],
      [0, until, tag, tagEpoch, reading, epoch],
    ],
    penalty: [],
  }
}

function isCharge({ mode }: Demand): boolean {
  return mode === Mode.CHARGE
}
