import { binds } from '../check/decision-reader.ts'
import type { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/policy-verdict.ts'

/** Whether the client gets no headers for a decision: the request was exempt, or all policies run in shadow mode. */
export function isSilent({ reason, verdicts }: Decision): boolean {
  if (reason === 'exempt') return true
  // A loop, because `some` is slow on a frozen array.
  for (let i = 0; i < verdicts.length; i++)
    if ((verdicts[i] as PolicyVerdict).mode === 'enforce') return false
  return verdicts.length > 0
}

/** Whether decision `a` binds a client more than `b`. A silent decision never does. */
export function isTighter(a: Decision, b: Decision): boolean {
  if (isSilent(a) || isSilent(b)) return !isSilent(a)
  return binds(a, b)
}
