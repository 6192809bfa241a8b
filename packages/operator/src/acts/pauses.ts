import { checkPausable, pauseLength } from '@halt/control'

import { badRequest } from '../answer.ts'
import type { FoundPolicy } from '../desk/catalogue.ts'
import type { Act, Acting } from './act.ts'
import { spanOf } from './act-call.ts'
import { noted } from './noted.ts'

/** The acts that refuse a client by one limit alone, as that of a tool, and end it. They change the counter of the limit. */
export const pauseActs: Readonly<Record<'pause' | 'resume', Act>> = {
  pause: {
    says: acting => pauses(acting, limitsOf(acting)),
    async perform(acting) {
      const { call, options } = acting
      const limits = limitsOf(acting)
      for (const { limiter, policy } of limits)
        await limiter.pause(acting.identity(), { policy, ...pauseLength(options) })
      const undo = { act: 'resume', whom: call.whom, policy: call.policy } as const
      return noted(acting, undefined, { says: pauses(acting, limits), undo })
    },
  },
  resume: {
    says: acting => resumes(acting, limitsOf(acting)),
    async perform(acting) {
      const limits = limitsOf(acting)
      for (const { limiter, policy } of limits) await limiter.resume(acting.identity(), { policy })
      return noted(acting, undefined, { says: resumes(acting, limits), undo: undefined })
    },
  },
}

function pauses({ who, call }: Acting, [{ policy }]: Limits): string {
  return `${policy.name} refuses ${who}, ${spanOf(call)}. Other limits let it pass, and no count changes.`
}

function resumes({ who }: Acting, [{ policy }]: Limits): string {
  return `${policy.name} does not refuse ${who} by a pause or a cool-down any more. No count changes.`
}

type Limits = readonly [FoundPolicy, ...FoundPolicy[]]

/** The limits of a name, which plans may have. @throws HaltError `HALT_E_OPERATOR`, `HALT_E_CONTROL` if none can be paused for one client */
function limitsOf(acting: Acting): Limits {
  const name = acting.policy()
  const [first, ...others] = acting.limiters.flatMap(({ limiter, policies }) =>
    policies.filter(policy => policy.name === name).map(policy => ({ limiter, policy })),
  )
  if (first === undefined)
    throw badRequest(`No limiter of this process has a policy "${name}".`, 'Name one of the page.')
  checkPausable(first.policy)
  return [first, ...others]
}
