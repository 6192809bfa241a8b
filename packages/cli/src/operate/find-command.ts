import { RateLimiter } from '@halt/core'

import { type Command, ExitCode, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { print, printable } from '../io.ts'
import { loadPolicyModule } from '../policy-module.ts'
import { controlFlags, identityOptions, SECRET_NOTE, withControl } from './control.ts'
import { lineOf } from './list-commands.ts'
import { targetFlags, targetOf } from './target.ts'

/** `halt find`: explains the counters of a client. */
export const findCommand: Command = {
  name: 'find',
  summary:
    'Explains a client: each counter, what is left, when it passes, and what operators have set. Changes nothing.',
  usage: '<whom> --policy <limits.mjs>',
  takes: [1, 1],
  flags: {
    policy: {
      value: 'module',
      help: 'The limits: a module that exports a policy, several, or options of a RateLimiter.',
    },
    json: { help: 'Prints JSON.' },
    ...targetFlags,
    ...controlFlags,
  },
  more: ['Exit code 1 says that the client is refused now.', SECRET_NOTE],
  run: (call, io) =>
    withControl(call, io, async (control, { store }) => {
      const module = valueOf(call, 'policy')
      if (module === undefined)
        throw commandError(
          'halt find got no --policy.',
          'Write: halt find user:42 --policy limits.mjs --redis redis://localhost:6379',
        )
      const settings = await loadPolicyModule(module, io.cwd)
      const identity = targetOf(call.positionals[0] as string, call)
      await control.refresh()
      const limiter = new RateLimiter({
        ...settings,
        ...identityOptions(call, io),
        store,
        control,
        // A person waits for the answer, and a decision without Redis would mislead.
        storeTimeout: '5s',
        onStoreError: 'closed',
        instances: 1,
        warn: () => {},
      })
      const explanation = await limiter.explain(identity)
      const isReached = explanation.decision !== undefined
      const counters = isReached ? await limiter.inspect(identity) : []
      const keys = new Set([explanation.decision?.key, ...explanation.policies.map(({ key }) => key)])
      const entries = (await control.entries()).filter(
        ({ target }) => target !== undefined && keys.has(target),
      )
      const text = [
        ...String(explanation).split('\n').map(printable),
        ...entries.map(({ kind, ...entry }) => `set by an operator: ${lineOf(kind, entry)}`),
      ]
      await print(
        io,
        call.flags['json'] === true ? [JSON.stringify({ ...explanation, counters, entries })] : text,
      )
      return explanation.decision?.allowed === false ? ExitCode.FOUND : ExitCode.DONE
    }),
}
