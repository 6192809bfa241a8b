import type { Subject } from '../request/subject.ts'

/** The part of a policy that says whether it is a quota. */
interface MayBeQuota {
  /** The periods of a quota; undefined for any other policy. */
  readonly calendar: object | undefined
}

/** Whether a penalty can tighten a policy, so that the policy gets a reduced rule. A penalty never tightens a quota. */
export function canBeTightened({ calendar }: MayBeQuota): boolean {
  return calendar === undefined
}

/**
 * Whether the penalty of a principal tightens the counter of a subject: the principal's own counter, alone or combined with an
 * address.
 */
export function isTightened(policy: MayBeQuota, subject: Subject, principal: Subject): boolean {
  if (!canBeTightened(policy)) return false
  return (
    subject === principal || (subject.startsWith(principal) && subject.startsWith('+ip:', principal.length))
  )
}
