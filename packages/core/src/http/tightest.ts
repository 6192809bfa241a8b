import { binds } from '../check/decision-reader.ts'
import { Decision } from '../check/decision.ts'

/** Whether the client gets no headers for a decision: the request was exempt, or all policies run in shadow mode. */
export function isSilent(decision: Decision): boolean {
  if (decision.reason === 'exempt') return true
  if (Decision.isEnforced(decision)) return false
  return decision.verdicts.length > 0 && decision.verdicts.every(({ mode }) => mode !== 'enforce')
}

/** Whether decision `a` binds a client more than `b`. A silent decision never does. */
export function isTighter(a: Decision, b: Decision): boolean {
  if (isSilent(a) || isSilent(b)) return !isSilent(a)
  return binds(a, b)
}
