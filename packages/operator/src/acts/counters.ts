import { extraUnits } from '@halt/control'

import { badRequest } from '../answer.ts'
import { penaltyManagerOf, quotaManagerOf } from '../desk/managers.ts'
import { why } from './access.ts'
import { type Act, type Acting, type Done, undoOf } from './act.ts'
import { type ActCall, spanOf } from './act-call.ts'
import { noted } from './noted.ts'
import { leftByReset, reset } from './reset.ts'

/** The acts that change counters. The document of entries does not hold them, so the history notes them. */
export const counterActs: Readonly<Record<'reset' | 'grant' | 'ungrant' | 'forgive', Act>> = {
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
      `${acting.who} gets ${acting.units()} units more of ${acting.policy()}, ${acting.call.for === undefined ? 'until its period ends' : `${spanOf(acting.call)}; then its limit is what it was`}.`,
    async perform(acting) {
      if (acting.call.for !== undefined) return grantFor(acting, acting.call.for)
      const { limiter, quota } = quotaOf(acting)
      const [quotas, identity, units] = [quotaManagerOf(limiter), acting.identity(), acting.units()]
      const before = (await quotas.checkQuota(identity, quota)).quota.granted
      const { granted, remaining } = await quotas.grantQuota(identity, quota, units, onceOf(acting))
      const says = `${acting.who} has ${granted} units of ${quota.name} on top in this period, and ${remaining} left.`
      const done = { says, undo: reversed(acting, 'ungrant', units) }
      // The store ignores a grant whose token it has seen, so the history gets no act for it.
      return granted === before ? done : noted(acting, units, done)
    },
  },
  ungrant: {
    says: acting =>
      `${acting.units()} granted units of ${acting.policy()} are taken back from ${acting.who}. What is used stays used.`,
    async perform(acting) {
      const { limiter, quota } = quotaOf(acting)
      const { takenBack, granted, remaining } = await quotaManagerOf(limiter).ungrantQuota(
        acting.identity(),
        quota,
        acting.units(),
        onceOf(acting),
      )
      if (takenBack === 0)
        throw badRequest(
          `Nothing was taken back: ${acting.who} has ${granted} granted units of ${quota.name}.`,
          'A grant ends with its period, and may have been taken back already.',
        )
      const says = `${takenBack} granted units of ${quota.name} were taken back from ${acting.who}; ${granted} stay, and ${remaining} are left.`
      return noted(acting, takenBack, { says, undo: reversed(acting, 'grant', takenBack) })
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

/** Gives more for a time by a limit of the client's own, because a grant lasts until the period ends. */
async function grantFor(acting: Acting, span: string): Promise<Done> {
  const { limiter, quota } = quotaOf(acting)
  const quotas = quotaManagerOf(limiter)
  const { quota: now } = await quotas.checkQuota(acting.identity(), quota)
  const { limit, options } = extraUnits(
    { ...now, endOfDay: quotas.endOfDay(quota) },
    acting.units(),
    span,
    acting.target,
    acting.entries,
  )
  const entry = await acting.control.override(
    acting.identity(),
    quota.name,
    { limit },
    { ...why(acting), ...options },
  )
  return {
    says: `${acting.who} has ${acting.units()} units of ${quota.name} more, limit ${limit}, ${spanOf({ ...acting.call, for: undefined, until: entry.until })}. Then its limit is what it was.`,
    undo: undoOf(undefined, entry, acting, 'revert'),
    scope: entry.scope,
  }
}

function onceOf({ call: { token } }: Acting): { readonly idempotencyKey?: string } {
  return token === undefined ? {} : { idempotencyKey: `operator ${token}` }
}

/** The call that takes a grant back, or gives it again. It counts once, however often it is sent. */
function reversed(
  { call: { whom, policy, token } }: Acting,
  act: 'grant' | 'ungrant',
  units: number,
): ActCall {
  return { act, whom, policy, units, token: token === undefined ? undefined : `${token} undo` }
}

function quotaOf(acting: Acting): NonNullable<ReturnType<Acting['catalogue']['findQuota']>> {
  const found = acting.catalogue.findQuota(acting.policy())
  if (found !== undefined) return found
  throw badRequest(
    `No limiter of this process has a quota "${acting.policy()}".`,
    'Name a quota: a policy with a period.',
  )
}
