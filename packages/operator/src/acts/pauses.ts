import type { Duration } from '@halt/core'

import { badRequest } from '../answer.ts'
import type { FoundPolicy } from '../desk/catalogue.ts'
import { isQuota } from '../desk/managers.ts'
import type { Act, Acting } from './act.ts'
import { spanOf } from './act-call.ts'
import { noted } from './noted.ts'

/** The acts that refuse a client by one limit alone, as that of a tool, and end it. They change the counter of the limit. */
export const pauseActs: Readonly<Record<'pause' | 'resume', Act>> = {
  pause: {
    says: pauses,
    async perform(acting) {
      const { call } = acting
      const says = pauses(acting)
      const end = call.until === undefined ? call.for : `${Math.max(1, Math.ceil(call.until - Date.now()))}ms`
      for (const { limiter, policy } of limitsOf(acting))
        await limiter.pause(acting.identity(), {
          policy,
          ...(end === undefined ? {} : { for: end as Duration }),
        })
      const undo = { act: 'resume', whom: call.whom, policy: call.policy } as const
      return noted(acting, undefined, { says, undo })
    },
  },
  resume: {
    says: resumes,
    async perform(acting) {
      const says = resumes(acting)
      for (const { limiter, policy } of limitsOf(acting)) await limiter.resume(acting.identity(), { policy })
      return noted(acting, undefined, { says, undo: undefined })
    },
  },
}

function pauses(acting: Acting): string {
  limitsOf(acting)
  return `${acting.policy()} refuses ${acting.who}, ${spanOf(acting.call)}. Other limits let it pass, and no count changes.`
}

function resumes(acting: Acting): string {
  limitsOf(acting)
  return `${acting.policy()} does not refuse ${acting.who} by a pause or a cool-down any more. No count changes.`
}

/** The limits of a name, which plans may have. @throws HaltError `HALT_E_OPERATOR` if none can be paused for one client */
function limitsOf(acting: Acting): readonly FoundPolicy[] {
  const name = acting.policy()
  const found = acting.limiters.flatMap(({ limiter, policies }) =>
    policies.filter(policy => policy.name === name).map(policy => ({ limiter, policy })),
  )
  const [first] = found
  if (first === undefined)
    throw badRequest(`No limiter of this process has a policy "${name}".`, 'Name one of the page.')
  const { policy } = first
  if (isQuota(policy))
    throw badRequest(
      `${name} is a quota, which cannot be paused.`,
      'Block the client, or give it other numbers.',
    )
  if (policy.keyStrategy === 'shared')
    throw badRequest(
      `${name} counts all clients together, so a pause would refuse everybody.`,
      'Change its numbers.',
    )
  if (policy.scope === 'route')
    throw badRequest(
      `${name} counts each route apart, and a pause names no route.`,
      'Give the client other numbers.',
    )
  return found
}
