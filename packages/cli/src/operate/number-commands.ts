import type { PolicyNumbers } from '@halt/control'
import { MOST_UNITS } from '@halt/core/store'

import { type Call, type Command, ExitCode, type Flag, valueOf } from '../command/command.ts'
import { commandError, wholeOf } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { print, printable } from '../io.ts'
import { entriesIn } from './control-problem.ts'
import { actFlags, actOf, controlFlags, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { lineOf, numbersInWords } from './list-commands.ts'
import { checkNumbers, checkReach, policiesNamed } from './policy-check.ts'
import { printEntry } from './print-entry.ts'
import { nameOf, targetFlags, targetOf } from './target.ts'

const numberFlags: Readonly<Record<string, Flag>> = {
  limit: { value: 'n', help: 'Units per window.' },
  window: { value: 'duration', help: 'The window: 60s, 1h.' },
  burst: { value: 'n', help: 'Units at once, of a token bucket.' },
  cost: { value: 'n', help: 'Units per request.' },
  'block-duration': { value: 'duration', help: 'How long a refusal keeps the key refused.' },
}
/** How many entries that still hold a revert lists. */
const MOST_OTHERS = 10
const NAME_NOTE =
  'With --policy, the limits file tells whether the policy exists, can have the numbers, and counts that client.'

/** `halt override`, `halt change` and `halt revert`. */
export const numberCommands: readonly Command[] = [
  {
    name: 'override',
    summary: 'Gives one client numbers of its own for a policy. Its counter is kept.',
    usage: '<whom> <policy> --limit <n>',
    example:
      'override user:42 per_user --limit 5000 --for 3d --reason "their launch" --redis redis://localhost:6379',
    takes: [2, 2],
    flags: { ...numberFlags, ...actFlags, ...targetFlags, ...controlFlags },
    more: [NAME_NOTE, SECRET_NOTE],
    run: (call, io) =>
      withControl(call, io, async (control, opened) => {
        const [whom = '', policy = ''] = call.positionals
        const [name, numbers] = [nameOf(whom, call), numbersOf(call)]
        const identity = await targetOf(whom, call, control)
        const known = await policiesNamed(policy, opened.limits)
        await checkNumbers(known, numbers, opened)
        // The numbers of a client hold on all its routes, whose counters an identity does not name.
        if (known.every(({ scope }) => scope !== 'route')) await checkReach(known, name, identity, opened)
        const before = await entriesIn(control)
        const entry = await withValues(() => control.override(identity, policy, numbers, actOf(call)))
        return printEntry(entry, before, saysOf(policy, numbers, name), opened, io)
      }),
  },
  {
    name: 'change',
    summary: 'Changes the numbers of a policy for everybody. The counters are kept.',
    usage: '<policy> --limit <n>',
    example: 'change per_user --limit 50 --for 1h --reason "slow database" --redis redis://localhost:6379',
    takes: [1, 1],
    flags: { ...numberFlags, ...actFlags, ...controlFlags },
    more: [NAME_NOTE],
    run: (call, io) =>
      withControl(call, io, async (control, opened) => {
        const [[policy = ''], numbers] = [call.positionals, numbersOf(call)]
        await checkNumbers(await policiesNamed(policy, opened.limits), numbers, opened)
        const before = await entriesIn(control)
        const entry = await withValues(() => control.change(policy, numbers, actOf(call)))
        return printEntry(entry, before, saysOf(policy, numbers, 'everybody'), opened, io)
      }),
  },
  {
    name: 'revert',
    summary: 'Takes the numbers of change back or, with a client, those of override.',
    usage: '<policy> [whom]',
    example: 'revert per_user user:42 --redis redis://localhost:6379',
    takes: [1, 2],
    flags: { ...whoFlags(), ...targetFlags, ...controlFlags },
    more: [SECRET_NOTE],
    run: (call, io) =>
      withControl(call, io, async control => {
        const [policy, whom] = inOrder(call.positionals)
        const identity = whom === undefined ? undefined : await targetOf(whom, call, control)
        await entriesIn(control)
        const found = await withValues(() => control.revert(policy, { ...actOf(call), identity }))
        const who = whom === undefined ? 'everybody' : nameOf(whom, call)
        const others = (await control.entries()).filter(
          entry => entry.policy === policy && (identity === undefined || entry.kind === 'change'),
        )
        await print(io, [
          printable(
            found
              ? `The other numbers of ${policy} for ${who} are taken back.`
              : `${policy} had no other numbers for ${who}.`,
          ),
          ...others
            .slice(0, MOST_OTHERS)
            .map(({ kind, ...entry }) => `Still in force: ${lineOf(kind, entry)}`),
          ...(others.length > MOST_OTHERS ? [`Still in force: ${others.length - MOST_OTHERS} more.`] : []),
        ])
        return found ? ExitCode.DONE : ExitCode.FOUND
      }),
  },
]

/** The policy, and whom it is about. The other commands name the client first, so that order is understood, too. */
function inOrder([first = '', second]: readonly string[]): readonly [
  policy: string,
  whom: string | undefined,
] {
  return second !== undefined && first.includes(':') && !second.includes(':')
    ? [second, first]
    : [first, second]
}

function numbersOf(call: Call): PolicyNumbers {
  const whole = (name: string): number | undefined => wholeOf(name, valueOf(call, name), 1, MOST_UNITS)
  const numbers = {
    limit: whole('limit'),
    window: valueOf(call, 'window'),
    burst: whole('burst'),
    cost: whole('cost'),
    blockDuration: valueOf(call, 'block-duration'),
  }
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined)
  if (given.length > 0) return Object.fromEntries(given) as PolicyNumbers
  throw commandError('There are no numbers.', 'Give --limit, --window, --burst, --cost or --block-duration.')
}

function saysOf(policy: string, numbers: PolicyNumbers, whom: string): { done: string; undone: string } {
  return {
    done: `${policy} has ${numbersInWords(numbers)} for ${whom}`,
    undone: `${policy} keeps its numbers for ${whom}`,
  }
}
