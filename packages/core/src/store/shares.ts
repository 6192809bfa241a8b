import type { Demand, Terms } from './contract.ts'

/** The index of the pool of a share's demand; -1 if the demand is not about a share, or the group lacks the pool. */
export function poolAt(demands: readonly Demand[], at: number): number {
  const { subject, terms } = demands[at]!
  const pool = terms?.share?.pool
  return pool === undefined
    ? -1
    : demands.findIndex(other => other.rule.counter === pool && other.subject === subject)
}

/** The index of the demand on a share of the pool at an index; -1 if there is none. */
export function shareAt(demands: readonly Demand[], at: number): number {
  const { subject, rule } = demands[at]!
  return demands.findIndex(
    ({ terms, subject: own }) => terms?.share?.pool === rule.counter && own === subject,
  )
}

/** The terms that a correction of a demand keeps: the share that it is about. */
export function shareIn({ terms }: Demand): Terms | undefined {
  return terms?.share && { share: { ...terms.share, ticket: undefined, wantsTicket: false } }
}
