import { COMMAND } from '../command/command.ts'
import { type ClientReading, type PlanView, plansInForce } from './client-views.ts'

/**
 * Sentences that say what still refuses a client after a reset, and what ends it: a reset leaves quotas, penalties and what operators have
 * set. Only the plan of the client counts, if it is known.
 */
export function hintsAfterReset(reading: ClientReading, whom: string): string[] {
  return [...new Set(plansInForce(reading).flatMap(plan => hintsOf(plan, whom)))]
}

function hintsOf({ plan, views }: PlanView, whom: string): string[] {
  const where = plan === undefined ? '' : ` (plan ${plan})`
  return views.flatMap(({ explanation: { decision, control } }) => {
    if (decision === undefined || decision.allowed) return []
    if (control !== undefined)
      return [
        `Still refused: an operator has blocked ${control.target}. End it: ${COMMAND} unblock ${control.target}`,
      ]
    const refusing = decision.verdicts.filter(verdict => !verdict.allowed && verdict.mode === 'enforce')
    return refusing.flatMap(({ policy, reason }) => hintFor(reason, policy, where, whom))
  })
}

function hintFor(reason: string, policy: string, where: string, whom: string): string[] {
  if (reason === 'quota-exceeded')
    return [
      `Still refused: the quota ${policy}${where} is used up, and a reset leaves quotas. Give more: ${COMMAND} grant ${whom} ${policy} 1000 --policy …`,
    ]
  if (reason === 'penalized')
    return [
      `Still refused: a penalty makes ${policy}${where} smaller, and a reset leaves penalties. The operator's page and PenaltyManager.clearPenalty() end it.`,
    ]
  if (reason === 'cost-exceeds-limit')
    return [`Still refused: the cost of a request exceeds ${policy}${where}, so that no wait helps.`]
  return []
}
