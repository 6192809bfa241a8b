import type { PolicyNumbers } from '@halt/control'

import { shownError } from '../answer.ts'
import type { FoundPolicy } from '../desk/catalogue.ts'
import { quotaManagerOf } from '../desk/managers.ts'
import type { GivenPolicy } from '../options.ts'
import type { Acting } from './act.ts'

/** How long before the end of its period a grant is warned of, in milliseconds. */
const SOON_MS = 86_400_000

/** Sentences that warn of an act on a policy that would change nothing, or not for long. */
export async function policyWarnings(acting: Acting): Promise<string[]> {
  const { call, limiters } = acting
  const found = limiters.flatMap(({ limiter, policies }) =>
    policies.filter(({ name }) => name === call.policy).map(policy => ({ limiter, policy })),
  )
  const warnings: string[] = []
  if (call.act === 'override' || call.act === 'change') warnings.push(...misfits(found, call.numbers))
  if (call.act === 'override' || call.act === 'grant' || call.act === 'pause')
    warnings.push(...(await outOfReach(found, acting)))
  if (call.act === 'grant') warnings.push(...(await endsSoon(acting)))
  return warnings
}

/** Plans may have policies of one name. The numbers hold where they fit. */
function misfits(found: readonly FoundPolicy[], numbers: PolicyNumbers = {}): string[] {
  const failures = found.flatMap(({ limiter, policy }) => {
    try {
      limiter.compile({ ...policy, ...numbers } as GivenPolicy)
      return []
    } catch (error) {
      return [shownError(error).message]
    }
  })
  return failures.length > 0 && failures.length === found.length
    ? [`The policy keeps its own numbers, because it cannot have these. ${failures[0]}`]
    : []
}

async function outOfReach(found: readonly FoundPolicy[], { identity, who }: Acting): Promise<string[]> {
  const left = await Promise.all(
    found.map(async ({ limiter, policy }) => {
      // The numbers of a client hold on all its routes, whose counters an identity does not name.
      if (policy.scope === 'route') return undefined
      const { control, policies, unreachable } = await limiter.explain(identity(), { policy })
      // The look at a client that operators block or let pass lists all policies.
      return control === undefined && policies.length === 0 ? unreachable[0] : undefined
    }),
  )
  const [first] = left
  if (first === undefined || left.includes(undefined)) return []
  return [
    `${first.policy} counts nothing under ${who}, so this changes nothing. It is reached by ${first.reachedBy}.`,
  ]
}

async function endsSoon({ call, catalogue, identity }: Acting): Promise<string[]> {
  const found = catalogue.findQuota(call.policy ?? '')
  if (found === undefined) return []
  const { quota } = await quotaManagerOf(found.limiter).checkQuota(identity(), found.quota)
  if (quota.resetAt * 1000 - Date.now() >= SOON_MS) return []
  const end = new Date(quota.resetAt * 1000).toISOString().replace('.000Z', 'Z')
  return [`The period ends at ${end}, and the units end with it.`]
}
