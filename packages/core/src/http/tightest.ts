import { binds } from '../check/decision-reader.ts'
import type { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/policy-verdict.ts'

/** Whether a client is told nothing of a decision: it was exempt, or all its policies only report. */
export function isSilent({ reason, verdicts }: Decision): boolean {
  if (reason === 'exempt') return true
  // A loop: `some` is slow on a frozen list.
  for (let i = 0; i < verdicts.length; i++)
    if ((verdicts[i] as PolicyVerdict).mode === 'enforce') return false
  return verdicts.length > 0
}

/** Whether a decision binds a client more than another; one that it is told nothing of, never. */
export function isTighter(a: Decision, b: Decision): boolean {
  if (isSilent(a) || isSilent(b)) return !isSilent(a)
  return binds(a, b)
}
