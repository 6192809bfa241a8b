import { type TopKey, TopKeys } from '@halt/core'

import { type Command, ExitCode, valueOf } from '../command/command.ts'
import { wholeOf } from '../command/parse.ts'
import { jsonLine, print, printable } from '../io.ts'
import { grouped, table } from '../table.ts'
import { redisFlags, withRedis } from './redis.ts'

/** `halt top`. */
export const topCommand: Command = {
  name: 'top',
  summary: 'Lists the keys that are used most and refused most now, over all processes.',
  usage: '',
  takes: [0, 0],
  flags: {
    most: { value: 'n', help: 'How many keys of each policy. Default 10, at most 50.' },
    json: { help: 'Prints JSON.' },
    ...redisFlags,
  },
  more: [
    'The processes need TopKeys on the same store: new RateLimiter({ telemetry: new TopKeys({ store }) }).',
    'Exit code 1 says that no process shares its keys.',
  ],
  run: (call, io) =>
    withRedis(call, io, async ({ store }) => {
      const most = wholeOf('most', valueOf(call, 'most'), 1, 50) ?? 10
      const topKeys = new TopKeys({ store, warn: () => {} })
      const { used, refused, processes } = await topKeys.merged(most)
      const isEmpty = used.length + refused.length === 0
      const report = { processes: isEmpty ? 0 : processes, refused, used }
      if (call.flags['json'] === true) await print(io, [jsonLine(report)])
      else if (isEmpty) await print(io, ['No process has shared keys during the last minute.'])
      else
        await print(io, [
          `${processes} ${processes === 1 ? 'process' : 'processes'}, the last one to two minutes`,
          ...list('Refused', refused),
          ...list('Used', used),
        ])
      return isEmpty ? ExitCode.FOUND : ExitCode.DONE
    }),
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
