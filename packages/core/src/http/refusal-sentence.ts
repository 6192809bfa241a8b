import { Decision } from '../check/decision.ts'

const DAY = 86_400e6

/**
 * One sentence or two that tell a person what is used up, and when to try again: for the body of a refusal that may name policies.
 *
 * @param decision a refusal by counters, or by an operator
 */
export function refusalSentence(decision: Decision): string {
  const { reason, policy } = decision
  const own = Decision.policyOf(decision, policy)
  switch (reason) {
    case 'quota-exceeded':
      return `The ${periodOf(decision)}'s ${unitsOf(own?.unit)} are used up. More are allowed from ${instantOf(decision.resetAt)}.`
    case 'held':
      return `Requests that are still running hold the rest of the ${periodOf(decision)}'s ${unitsOf(own?.unit)}. ${again(decision)}`
    case 'cost-exceeds-limit':
      return `This request costs more than the whole limit "${policy}". No wait helps.`
    case 'blocked':
      return own === undefined
        ? `This client is blocked. ${again(decision)}`
        : `"${policy}" refuses for a while after too many requests. ${again(decision)}`
    case 'penalized':
      return `After many refusals, "${policy}" allows fewer ${unitsOf(own?.unit)} for a while. ${again(decision)}`
    case 'reserved':
      return `The rest of "${policy}" is kept for more important requests. ${again(decision)}`
    case 'fair-share':
      return `The rest of "${policy}" is for clients that have had less. ${again(decision)}`
    case 'missing-key':
      return `"${policy}" needs a request that names its client, such as a signed-in user or an API key.`
    default:
      return `The ${unitsOf(own?.unit)} of "${policy}" are used up for now. ${again(decision)}`
  }
}

/** The units of a policy, in the plural. */
function unitsOf(unit: string | undefined): string {
  // Money is counted in millionths.
  return unit === undefined ? 'calls' : unit === 'usd-micro' ? 'dollars' : unit
}

/** The name of a quota's period, by its length: a month has 28 to 31 days, and a day may have 23 or 25 hours. */
function periodOf(decision: Decision): string {
  const { check } = Decision.resultOf(decision) ?? {}
  const at = check?.policies.findIndex(({ name }) => name === decision.policy) ?? -1
  const [start = 0, end = 0] = check?.demands[at]?.edges ?? []
  const days = (end - start) / DAY
  return days < 0.5 ? 'hour' : days < 2 ? 'day' : days < 10 ? 'week' : days < 40 ? 'month' : 'year'
}

function again({ retryAfter }: Decision): string {
  if (retryAfter === Number.POSITIVE_INFINITY || retryAfter === 0) return 'No wait helps.'
  return `Try again in ${retryAfter === 1 ? '1 second' : `${retryAfter} seconds`}.`
}

/** An instant in Unix seconds, as people read it. */
export function instantOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
