import { type Call, COMMAND, type Command, ExitCode } from '../command/command.ts'
import { type CliIo, print } from '../io.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { warnOfOwnAddress, warnOfSize } from './access-warnings.ts'
import { entriesIn } from './control-problem.ts'
import { actFlags, actOf, controlFlags, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { lineOf } from './list-commands.ts'
import { printEntry } from './print-entry.ts'
import { relatedEntries } from './related-entries.ts'
import { nameOf, NETWORK_NOTE, targetFlags, targetOf } from './target.ts'

/** `blocked` is also the reason of a cool-down, which no entry of an operator made. */
const COOLDOWN_NOTE = `If "${COMMAND} find" says that it is refused, its own counters refuse it: "reset" frees it from them and from their cool-downs.`

const more = [NETWORK_NOTE, SECRET_NOTE]

/** `halt block` and `halt allow`. */
export const accessCommands: readonly Command[] = (['block', 'allow'] as const).map(act => ({
  name: act,
  summary:
    act === 'block'
      ? 'Refuses a client or a network in every process, within a second and a half.'
      : 'Lets a client or a network pass uncounted in every process.',
  usage: '<whom>',
  example: `${act} ${act === 'block' ? '203.0.113.0/24 --for 2h --reason scraping' : 'user:partner --for 30d --reason "load test"'} --redis redis://localhost:6379`,
  takes: [1, 1],
  flags: {
    ...actFlags,
    ...targetFlags,
    force: {
      help: 'Takes even a network larger than those of one owner: below /8 of IPv4, below /19 of IPv6.',
    },
    ...controlFlags,
  },
  more,
  run: (call, io) =>
    withControl(call, io, async (control, opened) => {
      const [whom = ''] = call.positionals
      const options = { ...actOf(call), force: call.flags['force'] === true }
      const target = await targetOf(whom, call, control)
      const size = await withValues(() => control.sizeOf(target))
      if (size?.needsForce === true && !options.force)
        throw commandError(
          `${whom} has ${size.says}, more than the network of one owner.`,
          'Add --force if you mean all of them.',
        )
      if (act === 'block') warnOfOwnAddress(whom, call, io)
      const before = await entriesIn(control)
      const entry = await withValues(() => control[act](target, options))
      warnOfSize(whom, size, act, call, io)
      const [name, done] = [nameOf(whom, call), act === 'block' ? 'Blocked' : 'Allowed']
      const says = { done: `${done} ${name}`, undone: `${name} is not ${done.toLowerCase()}` }
      return printEntry(entry, before, says, opened, io)
    }),
}))

/** `halt unblock` and `halt disallow`. */
export const takeBackCommands: readonly Command[] = (['unblock', 'disallow'] as const).map(act => ({
  name: act,
  summary: `Ends the ${act === 'unblock' ? 'block' : 'permission'} of a client or a network.`,
  usage: '<whom>',
  example: `${act} ${act === 'unblock' ? '203.0.113.0/24' : 'user:partner'} --redis redis://localhost:6379`,
  takes: [1, 1],
  flags: { ...whoFlags(), ...targetFlags, ...controlFlags },
  more,
  run: (call, io) => takeBack(act, call, io),
}))

function takeBack(act: 'unblock' | 'disallow', call: Call, io: CliIo): Promise<number> {
  return withControl(call, io, async control => {
    const [whom = ''] = call.positionals
    const target = await targetOf(whom, call, control)
    await entriesIn(control)
    const found = await withValues(() => control[act](target, actOf(call)))
    const [name, what] = [nameOf(whom, call), act === 'unblock' ? 'blocked' : 'allowed']
    const none = [`${name} was not ${what} by an operator.`, ...(act === 'unblock' ? [COOLDOWN_NOTE] : [])]
    const others = await relatedEntries(target, control)
    await print(io, [
      ...(found ? [`${name} is no longer ${what}.`] : none),
      ...others.map(({ kind, ...entry }) => `Still in force: ${lineOf(kind, entry)}`),
    ])
    return found ? ExitCode.DONE : ExitCode.FOUND
  })
}
