import { extraUnits } from '@halt/control'

import { type Call, COMMAND, type Command, ExitCode, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, jsonLine, print } from '../io.ts'
import { grouped } from '../table.ts'
import { entriesIn } from './control-problem.ts'
import { actOf, controlFlags, SECRET_NOTE, whoFlags } from './control.ts'
import { instantOf } from './list-commands.ts'
import { printEntry } from './print-entry.ts'
import { type QuotaCall, withQuota } from './quota-call.ts'
import { toPaste, targetFlags, WHOM_NOTE, wordOf } from './target.ts'

const flags: Readonly<Record<string, Flag>> = {
  once: { value: 'text', help: 'A text of your own: an act with a text that was given before does nothing.' },
  ...whoFlags(),
  json: { help: 'Prints JSON.' },
  ...targetFlags,
  ...controlFlags,
}

/** `halt grant` and `halt ungrant`: give a client more units of a quota, and take granted units back. */
export const grantCommands: readonly Command[] = [
  {
    name: 'grant',
    summary: 'Gives a client more units of a quota, until its period ends.',
    usage: '<whom> <quota> <units> --policy <limits.ts>',
    example:
      'grant user:42 pro_month 1000 --policy limits.ts --reason "our outage" --redis redis://localhost:6379',
    takes: [3, 3],
    negative: `Write: ${COMMAND} ungrant <whom> <quota> <units>. It takes granted units back.`,
    flags: {
      for: {
        value: 'span',
        help: 'How long the units hold, instead of until the period ends: today, 3h. It is an override, which "revert" ends.',
      },
      ...flags,
    },
    more: [
      WHOM_NOTE,
      'The units end with the period, and stand in the history. Exit code 1 says that --once was given before, so nothing was added.',
      SECRET_NOTE,
    ],
    run: (call, io) =>
      withQuota('grant', call, io, called =>
        valueOf(call, 'for') === undefined ? grant(called, call, io) : grantFor(called, call, io),
      ),
  },
  {
    name: 'ungrant',
    summary: 'Takes granted units of a quota back. What the client has used stays used.',
    usage: '<whom> <quota> <units> --policy <limits.ts>',
    example:
      'ungrant user:42 pro_month 1000 --policy limits.ts --reason "typed a zero too much" --redis redis://localhost:6379',
    takes: [3, 3],
    flags,
    more: [
      WHOM_NOTE,
      'It takes back what was granted in this period, and no more. Exit code 1 says that nothing was taken back.',
      SECRET_NOTE,
    ],
    run: (call, io) => withQuota('ungrant', call, io, called => ungrant(called, call, io)),
  },
]

async function grant(called: QuotaCall, call: Call, io: CliIo): Promise<number> {
  const { quotas, identity, quota, units, control, name } = called
  const before = (await quotas.checkQuota(identity, quota)).quota.granted
  const status = await withValues(() => quotas.grantQuota(identity, quota, units, onceOf(call)))
  const { granted, remaining, limit, used, resetAt } = status
  // The store ignores a grant whose id it has seen, so the history gets no act for it.
  if (granted !== before) await control.note('grant', { identity, policy: quota.name, units }, whoOf(call))
  const line = `${name} has ${grouped(granted)} units of ${quota.name} on top until ${instantOf(resetAt * 1000)}${leftOf(called, remaining)}.`
  const data = { quota: quota.name, granted, remaining, limit, used, resetAt }
  await print(io, [call.flags['json'] === true ? jsonLine(data) : line])
  return granted === before ? ExitCode.FOUND : ExitCode.DONE
}

async function ungrant(called: QuotaCall, call: Call, io: CliIo): Promise<number> {
  const { quotas, identity, quota, units, control, name } = called
  const status = await withValues(() => quotas.ungrantQuota(identity, quota, units, onceOf(call)))
  const { takenBack, granted, remaining, limit, used, resetAt } = status
  if (takenBack > 0)
    await control.note('ungrant', { identity, policy: quota.name, units: takenBack }, whoOf(call))
  const line =
    takenBack === 0
      ? `Nothing was taken back: ${name} has ${grouped(granted)} granted units of ${quota.name}.`
      : `${grouped(takenBack)} granted units of ${quota.name} were taken back from ${name}; ${grouped(granted)} stay until ${instantOf(resetAt * 1000)}${leftOf(called, remaining)}. ${grouped(used)} are used, as before.`
  const data = { quota: quota.name, takenBack, granted, remaining, limit, used, resetAt }
  await print(io, [call.flags['json'] === true ? jsonLine(data) : line])
  return takenBack === 0 ? ExitCode.FOUND : ExitCode.DONE
}

/** Raises the client's limit for a time, because a grant lasts until the period ends. */
async function grantFor(called: QuotaCall, call: Call, io: CliIo): Promise<number> {
  const { quotas, identity, quota, units, control, name, isOneLimit } = called
  for (const flag of ['once', 'json'])
    if (call.flags[flag] !== undefined)
      throw commandError(`--${flag} and --for are both given.`, `Leave --${flag} out.`)
  if (!isOneLimit)
    throw commandError(
      `The plans give ${quota.name} different limits, so the limit of ${name} is not known.`,
      `Write: ${COMMAND} override <whom> ${quota.name} --limit <n> --for 12h.`,
    )
  const before = await entriesIn(control)
  const { quota: now } = await quotas.checkQuota(identity, quota)
  const { limit, options } = await withValues(() =>
    extraUnits(
      { ...now, endOfDay: quotas.endOfDay(quota) },
      units,
      valueOf(call, 'for') as string,
      control.keyOf(identity),
      before,
    ),
  )
  const entry = await withValues(() =>
    control.override(identity, quota.name, { limit }, { ...options, ...whoOf(call) }),
  )
  const says = {
    done: `${name} has ${grouped(units)} units of ${quota.name} more, limit ${grouped(limit)}`,
    undone: `${quota.name} keeps its numbers for ${name}`,
  }
  return printEntry(entry, before, says, called, io, [
    `Then the limit of ${grouped(now.limit)} holds again, and what was used stays used. End it: ${toPaste(`revert ${quota.name} ${wordOf(name)}`, call)}`,
  ])
}

function leftOf({ isOneLimit }: QuotaCall, remaining: number): string {
  // Plans may have quotas of one name with different limits. Then the plan decides how many units are left.
  return isOneLimit ? `, and ${grouped(remaining)} left` : ''
}

function whoOf(call: Call): { readonly reason?: string | undefined; readonly by?: string | undefined } {
  const { reason, by } = actOf({ ...call, flags: { ...call.flags, for: undefined } })
  return { reason, by }
}

function onceOf(call: Call): { readonly idempotencyKey?: string } {
  const once = valueOf(call, 'once')
  return once === undefined ? {} : { idempotencyKey: `cli ${once}` }
}
