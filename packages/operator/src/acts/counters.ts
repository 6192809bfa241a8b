import { badRequest } from '../answer.ts'
import { penaltyManagerOf, quotaManagerOf } from '../desk/managers.ts'
import { why } from './access.ts'
import type { Act, Acting, Done } from './act.ts'
import { leftByReset, reset } from './reset.ts'

/** The acts that change counters. The document of entries does not hold them, so the history notes them. */
export const counterActs: Readonly<Record<'reset' | 'grant' | 'charge' | 'forgive', Act>> = {
  reset: {
    says: ({ call, who }) =>
      `The counters and cool-downs of ${who} ${call.policy === undefined ? '' : `in ${call.policy} `}start again at zero. Quotas and penalties stay. Nobody can put them back.`,
    async perform(acting) {
      const { who, call } = acting
      const count = await reset(acting)
      const says = `${count} ${count === 1 ? 'counter' : 'counters'} of ${who} ${count === 1 ? 'was' : 'were'} reset.`
      const left = await leftByReset(acting)
      const whole = left === undefined ? says : `${says} ${left}`
      return noted(acting, count, { says: whole, undo: undefined }, call.policy)
    },
  },
  grant: {
    says: acting =>
      `${acting.who} gets ${acting.units()} units more of ${acting.policy()}, until its period ends.`,
    async perform(acting) {
      const { limiter, quota } = quotaOf(acting)
      const { token } = acting.call
      const idempotencyKey = token === undefined ? undefined : `operator ${token}`
      const { granted, remaining } = await quotaManagerOf(limiter).grantQuota(
        acting.identity(),
        quota,
        acting.units(),
        { idempotencyKey },
      )
      const says = `${acting.who} has ${granted} units of ${quota.name} on top in this period, and ${remaining} left.`
      return noted(acting, acting.units(), {
        says,
        undo: {
          act: 'charge',
          whom: acting.call.whom,
          policy: acting.call.policy,
          units: acting.call.units,
        },
      })
    },
  },
  charge: {
    says: acting => `${acting.units()} units of ${acting.policy()} are charged to ${acting.who}.`,
    async perform(acting) {
      const { limiter, quota } = quotaOf(acting)
      const {
        allowed,
        quota: status,
        entry,
      } = await quotaManagerOf(limiter).consumeQuota(acting.identity(), quota, { cost: acting.units() })
      if (entry !== undefined)
        throw badRequest(
          `An operator ${entry.kind === 'block' ? 'blocks the client' : 'lets the client pass uncounted'}, so nothing is charged.`,
          `End the ${entry.kind === 'block' ? 'block' : 'permission'} first.`,
        )
      if (!allowed)
        throw badRequest(
          `Only ${status.remaining} units of ${quota.name} are left, so ${acting.units()} cannot be taken.`,
          'The client has used them meanwhile.',
        )
      const says = `${acting.units()} units of ${quota.name} were charged to ${acting.who}, ${status.remaining} are left.`
      return noted(acting, acting.units(), { says, undo: undefined })
    },
  },
  forgive: {
    says: ({ who }) => `The penalty of ${who} ends, and its score is forgotten.`,
    async perform(acting) {
      const managers = acting.limiters.flatMap(({ limiter }) => penaltyManagerOf(limiter) ?? [])
      if (managers.length === 0)
        throw badRequest('No limiter of this process has a penalty.', 'Nothing to do.')
      for (const manager of managers) await manager.clearPenalty(acting.identity())
      return noted(acting, undefined, { says: `${acting.who} has no penalty.`, undo: undefined }, undefined)
    },
  },
}

/** Notes an act in the history. It was carried out, so a history that cannot be written does not fail it. */
async function noted(
  acting: Acting,
  units: number | undefined,
  done: Done,
  policy: string | undefined = acting.call.policy,
): Promise<Done> {
  try {
    const what = { identity: acting.identity(), policy, units }
    await acting.control.note(acting.call.act as 'reset', what, why(acting))
    return done
  } catch {
    return { ...done, says: `${done.says} The history could not be written.` }
  }
}

function quotaOf(acting: Acting): NonNullable<ReturnType<Acting['catalogue']['findQuota']>> {
  const found = acting.catalogue.findQuota(acting.policy())
  if (found !== undefined) return found
  throw badRequest(
    `No limiter of this process has a quota "${acting.policy()}".`,
    'Name a quota: a policy with a period.',
  )
}
