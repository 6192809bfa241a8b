import type { HaltError, RateLimiter } from '@halt/core'

import { type Command, ExitCode } from '../command/command.ts'
import { grouped } from '../table.ts'
import { type OpenClient, planFlag, withClient } from './client.ts'
import { printClient } from './print-client.ts'
import { type ClientReading, isRefused, partsOf, readClient } from './client-views.ts'
import { actOf, controlFlags, SECRET_NOTE, whoFlags } from './control.ts'
import { PLANS_NOTE } from './find-command.ts'
import { hintsAfterReset } from './reset-hints.ts'
import { nameOf, targetFlags, type Whom, WHOM_NOTE } from './target.ts'

/** `halt reset`: frees a client, by a reset of its counters and cool-downs. */
export const resetCommand: Command = {
  name: 'reset',
  summary:
    'Frees a client: its counters and cool-downs start again at zero. Quotas, penalties and entries of operators stay.',
  usage: '<whom> --policy <limits.ts>',
  example: 'reset user:42 --policy limits.ts --reason "their bug" --redis redis://localhost:6379',
  takes: [1, 1],
  flags: {
    ...whoFlags(),
    json: { help: 'Prints JSON.' },
    ...planFlag,
    ...targetFlags,
    ...controlFlags,
  },
  more: [
    WHOM_NOTE,
    'It prints what halt find shows after the reset, and how to end what still refuses. Processes may go on refusing for up to a second.',
    'Exit code 1 says that there was no counter, or that the client is still refused.',
    PLANS_NOTE,
    SECRET_NOTE,
  ],
  run: (call, io) =>
    withClient('reset', call, io, async client => {
      const { identity, control } = client
      const whom = nameOf(call.positionals[0] as string, call)
      // A reset takes away what tells the plan.
      const { last } = await readClient(client)
      const { count, problem } = await resetAll(client)
      // A reset has no end, so of the act's options only these are noted.
      const { reason, by } = actOf(call)
      if (count !== 0) await control.note('reset', { identity, units: count }, { reason, by })
      const after: ClientReading = { ...(await readClient(client)), last }
      const hints = hintsAfterReset(after, each => control.keyOf(each), call)
      const lines = [countOf(count, whom), ...(problem === undefined ? [] : [problem]), ...hints]
      await printClient(client, after, call, io, { lines, facts: { reset: count, problem, hints } })
      return count === 0 || isRefused(after) ? ExitCode.FOUND : ExitCode.DONE
    }),
}

/** The result of a reset. */
interface Reset {
  /** How many counters there were. Undefined if only a part of them could be named. */
  readonly count: number | undefined
  /** Why counters may be left, in a sentence. */
  readonly problem?: string | undefined
}

/** Resets the counters of all plans. A counter that plans share is counted once, because it is gone for the second one. */
async function resetAll({ plans, identity }: OpenClient): Promise<Reset> {
  let whole: Reset = { count: 0 }
  for (const { limiter } of plans) {
    const { count, problem } = await reset(limiter, identity)
    whole = {
      count: count === undefined || whole.count === undefined ? undefined : whole.count + count,
      problem: whole.problem ?? problem,
    }
  }
  return whole
}

async function reset(limiter: RateLimiter, identity: Whom): Promise<Reset> {
  try {
    return { count: await limiter.reset(identity) }
  } catch (error) {
    const { code, summary } = error as HaltError
    // The explanation that follows names the identities that reach the counters.
    if (code === 'HALT_E_IDENTITY_KIND')
      return partsOf(identity).length === 1
        ? { count: 0 }
        : { count: 0, problem: 'No policy counts both together. Leave --ip out.' }
    if (code === 'HALT_E_ROUTES_UNKNOWN') return { count: undefined, problem: summary }
    throw error
  }
}

function countOf(count: number | undefined, whom: string): string {
  if (count === undefined) return `Only a part of the counters of ${whom} was reset.`
  if (count === 0) return `There was no counter of ${whom} to reset.`
  return count === 1 ? `1 counter of ${whom} was reset.` : `${grouped(count)} counters of ${whom} were reset.`
}
