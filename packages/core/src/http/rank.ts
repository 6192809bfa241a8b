import type { Decision, PolicyVerdict } from '../decision.ts'

/** Whether a client is told nothing of a decision: it was exempt, or all its policies only report. */
export function isSilent({ reason, verdicts }: Decision): boolean {
  if (reason === 'exempt') return true
  // A loop: `some` is slow on a frozen list.
  for (let i = 0; i < verdicts.length; i++)
    if ((verdicts[i] as PolicyVerdict).mode === 'enforce') return false
  return verdicts.length > 0
}

/** Whether a decision binds a client more than another: a refusal more than none, a longer wait, less left of the limit. */
export function isTighter(a: Decision, b: Decision): boolean {
  if (isSilent(a) || isSilent(b)) return !isSilent(a)
  if (a.allowed !== b.allowed) return b.allowed
  return a.allowed ? a.remaining * b.limit < b.remaining * a.limit : a.retryAfter > b.retryAfter
}
