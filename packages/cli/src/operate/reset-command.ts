import type { HaltError, Identity, RateLimiter } from '@halt/core'

import { type Command, ExitCode } from '../command/command.ts'
import { grouped } from '../table.ts'
import { limitsFlag, partsOf, printClient, withClient } from './client.ts'
import { actOf, controlFlags, SECRET_NOTE, whoFlags } from './control.ts'
import { nameOf, targetFlags, WHOM_NOTE } from './target.ts'

/** `halt reset`: frees a client, by a reset of its counters and cool-downs. */
export const resetCommand: Command = {
  name: 'reset',
  summary:
    'Frees a client: its counters and cool-downs start again at zero. Quotas, penalties and entries of operators stay.',
  usage: '<whom> --policy <limits.mjs>',
  takes: [1, 1],
  flags: {
    ...limitsFlag,
    ...whoFlags(),
    json: { help: 'Prints JSON.' },
    ...targetFlags,
    ...controlFlags,
  },
  more: [
    WHOM_NOTE,
    'It prints what halt find shows after the reset. Processes may go on refusing for up to a second.',
    'Exit code 1 says that there was no counter, or that the client is still refused.',
    SECRET_NOTE,
  ],
  run: (call, io) =>
    withClient('reset', call, io, async client => {
      const { identity, limiter, control } = client
      const whom = nameOf(call.positionals[0] as string, call)
      const { count, problem } = await reset(limiter, identity)
      const lines = [countOf(count, whom), ...(problem === undefined ? [] : [problem])]
      // A reset has no end, so of the act's options only these are noted.
      const { reason, by } = actOf(call)
      if (count !== 0) await control.note('reset', { identity, units: count }, { reason, by })
      const isRefused = await printClient(client, call, io, lines, { reset: count, problem })
      return count === 0 || isRefused ? ExitCode.FOUND : ExitCode.DONE
    }),
}

/** The result of a reset. */
interface Reset {
  /** How many counters there were. Undefined if only a part of them could be named. */
  readonly count: number | undefined
  /** Why counters may be left, in a sentence. */
  readonly problem?: string
}

async function reset(limiter: RateLimiter, identity: Identity): Promise<Reset> {
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
