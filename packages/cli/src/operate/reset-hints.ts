import type { Call } from '../command/command.ts'
import { type ClientReading, type PlanView, plansInForce } from './client-views.ts'
import { toPaste, type Whom, wordOf } from './target.ts'

/**
 * Sentences that say what still refuses a client after a reset, and what ends it: a reset leaves quotas, penalties and what operators have
 * set. Only the plan of the client counts, if it is known.
 *
 * @param keyOf names a client, as the commands read it
 */
export function hintsAfterReset(
  reading: ClientReading,
  keyOf: (identity: Whom) => string,
  call: Call,
): string[] {
  return [...new Set(plansInForce(reading).flatMap(plan => hintsOf(plan, keyOf, call)))]
}

function hintsOf({ plan, views }: PlanView, keyOf: (identity: Whom) => string, call: Call): string[] {
  const where = plan === undefined ? '' : ` (plan ${plan})`
  return views.flatMap(({ identity, explanation: { decision, control } }) => {
    if (decision === undefined || decision.allowed) return []
    if (control !== undefined)
      return [
        `Still refused: an operator has blocked ${control.target}. End it: ${toPaste(`unblock ${wordOf(control.target ?? '')}`, call)}`,
      ]
    const refusing = decision.verdicts.filter(verdict => !verdict.allowed && verdict.mode === 'enforce')
    return refusing.flatMap(({ policy, reason }) =>
      hintFor(reason, policy, where, wordOf(keyOf(identity)), call),
    )
  })
}

function hintFor(reason: string, policy: string, where: string, whom: string, call: Call): string[] {
  if (reason === 'quota-exceeded')
    return [
      `Still refused: the quota ${policy}${where} is used up, and a reset leaves quotas. Give more: ${toPaste(`grant ${whom} ${policy} 1000`, call)}`,
    ]
  if (reason === 'held')
    return [
      `Still refused: calls that run hold the rest of the quota ${policy}${where}. It is free when they end.`,
    ]
  if (reason === 'penalized')
    return [
      `Still refused: a penalty makes ${policy}${where} smaller, and a reset leaves penalties. The operator's page and PenaltyManager.clearPenalty() end it.`,
    ]
  if (reason === 'cost-exceeds-limit')
    return [`Still refused: the cost of a request exceeds ${policy}${where}, so that no wait helps.`]
  return []
}
