import { type Command, ExitCode } from '../command/command.ts'
import { planFlag, withClient } from './client.ts'
import { printClient } from './print-client.ts'
import { isRefused, readClient } from './client-views.ts'
import { controlFlags, SECRET_NOTE } from './control.ts'
import { linesOf, otherKeysOf } from './other-keys.ts'
import { targetFlags, WHOM_NOTE } from './target.ts'
import { linesOfUsers, usersOf } from './users.ts'

/** A note of the help of every command that reads a client under plans. */
export const PLANS_NOTE =
  'With plans in the limits file, each is shown apart. A client whose plan is not known is refused if every plan refuses it.'

/** Tells the operator to look at further keys, because no counter of this one refuses the client. */
const KEYS_NOTE =
  'Other keys of the client, such as that of its company, may refuse it. Give --keys to see them.'

/** `halt find`: explains the counters of a client. */
export const findCommand: Command = {
  name: 'find',
  summary:
    'Explains a client: each counter, what is left, when it passes, and what operators have set. Changes nothing.',
  usage: '<whom> --policy <limits.ts>',
  example: 'find user:42 --ip 203.0.113.7 --policy limits.ts --redis redis://localhost:6379',
  takes: [1, 1],
  flags: {
    keys: {
      help: "Asks the operator's pages on which other keys its requests were counted lately, such as that of its company. Takes some seconds.",
    },
    users: {
      help: 'Tells who used the limits that several users share, such as those of a company, if the processes have a UsageByUser.',
    },
    json: { help: 'Prints JSON.' },
    ...planFlag,
    ...targetFlags,
    ...controlFlags,
  },
  more: [WHOM_NOTE, 'Exit code 1 says that the client is refused now.', PLANS_NOTE, SECRET_NOTE],
  run: (call, io) =>
    withClient('find', call, io, async client => {
      const reading = await readClient(client)
      const keys = call.flags['keys'] === true ? await otherKeysOf(client) : undefined
      const users = call.flags['users'] === true ? await usersOf(client, reading) : undefined
      await printClient(client, reading, call, io, {
        lines: [
          ...(keys === undefined ? [] : linesOf(keys)),
          ...(users === undefined ? [] : linesOfUsers(users)),
        ],
        facts: {
          ...(keys === undefined ? {} : { otherKeys: keys.keys, silentProcesses: keys.silent ?? null }),
          ...(users === undefined ? {} : { users }),
        },
        notes: keys === undefined && !isRefused(reading) ? [KEYS_NOTE] : [],
      })
      const isRefusedElsewhere = keys?.keys.some(({ allowed }) => !allowed) === true
      return isRefused(reading) || isRefusedElsewhere ? ExitCode.FOUND : ExitCode.DONE
    }),
}
