import type { Identity } from '@halt/core'
import { messageOf } from '@halt/core/http'

import { inTime } from '../in-time.ts'
import type { Client, LimiterEntry, PlanOf } from '../options.ts'

/** How long `planOf` may take, in milliseconds. */
const PATIENCE_MS = 2_000

/**
 * Asks the application which plan a client has. Undefined if it does not tell, or names none of the plans: then the counters may tell. It
 * never rejects, because the counters of a client must show while the application's database is away.
 */
export async function ownPlanOf(
  planOf: PlanOf | undefined,
  identity: Identity,
  limiters: readonly LimiterEntry[],
): Promise<string | undefined> {
  if (planOf === undefined || typeof identity === 'string') return undefined
  try {
    const plan = await inTime(planOf({ ...(identity as Client) }), PATIENCE_MS)
    return limiters.some(({ plans }) => plans.some(({ name }) => name === plan)) ? plan : undefined
  } catch (error) {
    limiters[0]?.limiter.warn({
      code: 'HALT_W_CALLBACK',
      message: `planOf of the operator's page failed: ${messageOf(error)}.`,
      fix: 'Until it is mended, the page tells the plan of a client by its counters alone.',
    })
    return undefined
  }
}
