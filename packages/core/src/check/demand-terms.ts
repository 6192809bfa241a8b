import { messageOf } from '../base/errors.ts'
import { describe } from '../base/describe.ts'
import { warnOfCallback } from '../base/callbacks.ts'
import { atOnce } from '../base/promises.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, givenCost } from '../policy/cost.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { Terms } from '../store/contract.ts'
import type { Ask } from './ask.ts'

/** The share that a request leaves to others if its `headroom` function fails: it counts as the least important. */
const SHARE_OF_FAILED = 0.5

/**
 * Builds the terms of a policy's demand. Undefined for nearly every request: it leaves nothing to others, wants its whole cost, and
 * does not wait.
 *
 * @param cost the units that the policy charges
 */
export function termsOf(
  policy: CompiledPolicy,
  cost: number,
  client: Caller | Subject,
  { least, turn, ttl, cost: given }: Ask,
  warn: Warn,
): Terms | undefined {
  if (policy.headroom === undefined && least === undefined && turn === undefined && ttl === undefined)
    return undefined
  const fewest = least === undefined ? undefined : leastFor(policy, least, given)
  const terms: Terms = {
    maxWait: turn?.maxWait,
    least: fewest === undefined || fewest >= cost ? undefined : fewest,
    keptFor: policy.calendar === undefined ? undefined : ttl,
    floor: policy.headroom === undefined ? undefined : headroomFor(policy, client, warn),
  }
  return Object.values(terms).some(Boolean) ? terms : undefined
}

/** The terms of a place in flight, of which a request takes one. */
export function termsInFlight(terms: Terms | undefined): Terms | undefined {
  return terms === undefined || terms.least === undefined ? terms : { ...terms, least: undefined }
}

/** The fewest units that a call accepts of a policy. All policies get the largest that the call names, so that all grant alike. */
function leastFor(policy: CompiledPolicy, least: Cost, cost: Ask['cost']): number | undefined {
  if (givenCost(policy, least) === undefined) return undefined
  if (typeof least === 'number') {
    const isNamed = typeof cost === 'object' && givenCost(policy, cost) === undefined
    return isNamed ? undefined : givenCost(policy, least)
  }
  return Math.max(...Object.values(least).map(units => Math.ceil(units ?? 0)))
}

function headroomFor({ name, headroom }: CompiledPolicy, client: Caller | Subject, warn: Warn): number {
  if (typeof headroom === 'number') return headroom
  // Without a request there is nothing to ask about.
  if (headroom === undefined || typeof client === 'string') return 0
  try {
    const share: unknown = atOnce(headroom(client.view.request as never))
    if (typeof share === 'number' && share >= 0 && share <= 1) return share
    noticeFailure(warn, `headroom of "${name}" gave ${describe(share)}, which is not a share.`)
  } catch (error) {
    noticeFailure(warn, `headroom of "${name}" failed: ${messageOf(error)}.`)
  }
  return SHARE_OF_FAILED
}

function noticeFailure(warn: Warn, message: string): void {
  warnOfCallback(
    warn,
    message,
    'Return a number from 0 to 1. Until then such a request leaves half of the capacity.',
  )
}
