import { priceOf, type Quota } from '@halt/core'

/** Whose budget it is. */
export const TEAM = { user: 'team_a' }

/** The budget of a day, in millionths of a dollar. @param since when the day begins, so that it does not end at midnight */
export function dayBudget(limit: number, since: Date): Quota {
  return {
    name: 'team_day',
    limit,
    period: 'daily',
    anchor: since,
    unit: 'usd-micro',
    status: 402,
    onStoreError: 'closed',
  }
}

/** Dollars per million tokens. */
export const price = priceOf({ input: 1, output: 10 })

/** The tokens of every prompt. */
export const PROMPT = 20

/** The most tokens of an answer. */
export const MOST = 150

/** How long units stay held if a process dies. */
export const TTL = '2s'

/** The tokens of a part of an answer. A stream has paid for so many before the model makes them. */
export const PART = 3

/** The units that one call of the store pays. */
export const CHUNK = price({ output: PART })

/** Millionths of a dollar for people. */
export function dollars(micro: number): string {
  return `$${(micro / 1e6).toFixed(4)}`
}
