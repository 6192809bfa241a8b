import { type Command, ExitCode } from '../command/command.ts'
import { limitsFlag, printClient, withClient } from './client.ts'
import { controlFlags, SECRET_NOTE } from './control.ts'
import { targetFlags, WHOM_NOTE } from './target.ts'

/** `halt find`: explains the counters of a client. */
export const findCommand: Command = {
  name: 'find',
  summary:
    'Explains a client: each counter, what is left, when it passes, and what operators have set. Changes nothing.',
  usage: '<whom> --policy <limits.mjs>',
  takes: [1, 1],
  flags: {
    ...limitsFlag,
    json: { help: 'Prints JSON.' },
    ...targetFlags,
    ...controlFlags,
  },
  more: [WHOM_NOTE, 'Exit code 1 says that the client is refused now.', SECRET_NOTE],
  run: (call, io) =>
    withClient('find', call, io, async client => {
      return (await printClient(client, call, io)) ? ExitCode.FOUND : ExitCode.DONE
    }),
}
