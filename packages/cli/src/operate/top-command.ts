import { type TopKey, TopKeys } from '@halt/control'

import { type Command, ExitCode, valueOf } from '../command/command.ts'
import { wholeOf } from '../command/parse.ts'
import { jsonLine, print, printable } from '../io.ts'
import { grouped, table } from '../table.ts'
import { silentOf } from './store-address.ts'
import { limitsFlag, type Opened, storeFlags, withStore } from './store.ts'
import { type WatchedKeys, watchedKeys } from './watched-keys.ts'

/** `halt top`. */
export const topCommand: Command = {
  name: 'top',
  summary: 'Lists the keys that are used most and refused most now, over all processes.',
  usage: '',
  example: 'top --most 5 --redis redis://localhost:6379',
  takes: [0, 0],
  flags: {
    most: { value: 'n', help: 'How many keys of each policy. Default 10, at most 50.' },
    json: { help: 'Prints JSON.' },
    ...storeFlags,
    ...limitsFlag,
  },
  more: [
    "The processes tell their keys if they mount the operator's page (it takes a few seconds), or have TopKeys on the same store: new RateLimiter({ telemetry: new TopKeys({ store }) }).",
    'Exit code 1 says that no process tells its keys.',
  ],
  run: (call, io) =>
    withStore(call, io, async opened => {
      const most = wholeOf('most', valueOf(call, 'most'), 1, 50) ?? 10
      const { processes, refused, used } = await keysOf(opened, most)
      const isEmpty = used.length + refused.length === 0
      const silent = silentOf(opened.address, processes)
      if (call.flags['json'] === true)
        await print(io, [jsonLine({ processes, silentProcesses: silent ?? null, refused, used })])
      else if (isEmpty) await print(io, [nothing(processes)])
      else
        await print(io, [
          `${processes} ${processes === 1 ? 'process' : 'processes'}, the last one to two minutes`,
          ...partialInWords(silent),
          ...list('Refused', refused),
          ...list('Used', used),
        ])
      return isEmpty ? ExitCode.FOUND : ExitCode.DONE
    }),
}

/** The keys that TopKeys shares; without it, those of the operator's pages. */
async function keysOf(opened: Opened, most: number): Promise<WatchedKeys> {
  const topKeys = new TopKeys({ store: opened.store, warn: () => {} })
  const shared = await topKeys.merged(most)
  return shared.used.length + shared.refused.length > 0 ? shared : watchedKeys(opened, most)
}

function partialInWords(silent: number | undefined): string[] {
  if (silent === 0) return []
  const who =
    silent === undefined
      ? 'Other processes may have'
      : `${silent} live ${silent === 1 ? 'process has' : 'processes have'}`
  return [`${who} told nothing, so keys and requests may be missing.`]
}

function nothing(processes: number): string {
  if (processes > 0) return 'The processes have counted no key.'
  return "No process tells its keys. Mount the operator's page in them, or give their limiters a TopKeys."
}

function list(title: string, keys: readonly TopKey[]): string[] {
  if (keys.length === 0) return ['', `${title}: none`]
  const rows = keys.map(({ policy, key, count, error }) => [
    `${printable(policy)}  ${printable(key)}`,
    grouped(count),
    error === 0 ? '' : `at least ${grouped(count - error)}`,
  ])
  return ['', ...table([title, 'requests', ''], rows)]
}
