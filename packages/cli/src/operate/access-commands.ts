import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Call, COMMAND, type Command, ExitCode } from '../command/command.ts'
import { type CliIo, coloursOf, print } from '../io.ts'
import { withValues } from '../command/usage.ts'
import { actFlags, actOf, controlFlags, REACH_NOTE, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { lineOf } from './list-commands.ts'
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
  takes: [1, 1],
  flags: {
    ...actFlags,
    ...targetFlags,
    force: { help: 'Takes a network of all addresses, too.' },
    ...controlFlags,
  },
  more,
  run: (call, io) =>
    withControl(call, io, async control => {
      const [whom = ''] = call.positionals
      const options = { ...actOf(call), force: call.flags['force'] === true }
      const target = targetOf(whom, call)
      if (act === 'block') warnOfOwnAddress(whom, io)
      await withValues(() => control[act](target, options))
      await print(io, [`${act === 'block' ? 'Blocked' : 'Allowed'} ${nameOf(whom, call)}.`, REACH_NOTE])
      return ExitCode.DONE
    }),
}))

/** `halt unblock` and `halt disallow`. */
export const takeBackCommands: readonly Command[] = (['unblock', 'disallow'] as const).map(act => ({
  name: act,
  summary: `Ends the ${act === 'unblock' ? 'block' : 'permission'} of a client or a network.`,
  usage: '<whom>',
  takes: [1, 1],
  flags: { ...whoFlags(), ...targetFlags, ...controlFlags },
  more,
  run: (call, io) => takeBack(act, call, io),
}))

function takeBack(act: 'unblock' | 'disallow', call: Call, io: CliIo): Promise<number> {
  return withControl(call, io, async control => {
    const [whom = ''] = call.positionals
    const target = targetOf(whom, call)
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

/** Warns if a block contains an address of this machine, or the one from which its user is signed in. */
function warnOfOwnAddress(whom: string, io: CliIo): void {
  const own = [
    ...Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .map(({ address }) => address),
    ...(io.env['SSH_CONNECTION'] ?? '').split(' ').slice(0, 1),
  ]
  const hit = own.find(address => address !== '' && contains(whom.replace(/^ip:/, ''), address))
  if (hit === undefined) return
  io.stderr.write(
    `${coloursOf(io, io.stderr).yellow('Warning:')} ${whom} contains ${hit}, an address of yours. ${localhostNote(hit)}${COMMAND} unblock ${whom} takes it back.\n`,
  )
}

/** `localhost` has two addresses, so a block of one of them often does not reach the request of who tries it. */
function localhostNote(hit: string): string {
  if (!hit.startsWith('127.')) return ''
  return 'A request to localhost may come from ::1, which it does not contain. '
}

function contains(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/')
  const list = new BlockList()
  try {
    const family = isIPv6(base) ? 'ipv6' : 'ipv4'
    list.addSubnet(base, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
    return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  } catch {
    // Not an address. Control refuses it, or it is a user.
    return false
  }
}
