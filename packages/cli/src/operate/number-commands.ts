import { HaltError, type PolicyNumbers } from '@halt/core'
import { MOST_UNITS } from '@halt/core/store'

import { type Call, type Command, ExitCode, type Flag, valueOf } from '../command/command.ts'
import { commandError, wholeOf } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { print } from '../io.ts'
import { type Limits, policiesOf } from '../limits/limits-file.ts'
import { actFlags, actOf, controlFlags, REACH_NOTE, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { nameOf, targetFlags, targetOf } from './target.ts'

const numberFlags: Readonly<Record<string, Flag>> = {
  limit: { value: 'n', help: 'Units per window.' },
  window: { value: 'duration', help: 'The window: 60s, 1h.' },
  burst: { value: 'n', help: 'Units at once, of a token bucket.' },
  cost: { value: 'n', help: 'Units per request.' },
  'block-duration': { value: 'duration', help: 'How long a refusal keeps the key refused.' },
}
const NAME_NOTE = 'With --policy, the name of the policy is checked by the limits file.'

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
      withControl(call, io, async (control, { limits }) => {
        const [whom = '', policy = ''] = call.positionals
        await checkName(policy, limits)
        await withValues(() => control.override(targetOf(whom, call), policy, numbersOf(call), actOf(call)))
        await print(io, [`${policy} has other numbers for ${nameOf(whom, call)}.`, REACH_NOTE])
        return ExitCode.DONE
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
      withControl(call, io, async (control, { limits }) => {
        const [policy = ''] = call.positionals
        await checkName(policy, limits)
        await withValues(() => control.change(policy, numbersOf(call), actOf(call)))
        await print(io, [`${policy} has other numbers for everybody.`, REACH_NOTE])
        return ExitCode.DONE
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
        const [policy = '', whom] = call.positionals
        const identity = whom === undefined ? undefined : targetOf(whom, call)
        const found = await withValues(() => control.revert(policy, { ...actOf(call), identity }))
        const where = `${policy}${whom === undefined ? '' : ` for ${nameOf(whom, call)}`}`
        await print(io, [found ? `${where} has its own numbers again.` : `${where} had no other numbers.`])
        return found ? ExitCode.DONE : ExitCode.FOUND
      }),
  },
]

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

/** Refuses the name of a policy that the limits file does not have. A limiter ignores numbers of a policy that it does not know. */
async function checkName(policy: string, limits: Limits | undefined): Promise<void> {
  if (limits === undefined || limits.plans.some(({ settings }) => typeof settings.policy === 'function'))
    return
  const names = [
    ...new Set(limits.plans.flatMap(({ settings }) => policiesOf(settings).map(({ name }) => name))),
  ]
  if (names.includes(policy)) return
  await withValues(() => {
    throw new HaltError(
      'HALT_E_UNKNOWN_POLICY',
      `${limits.file} has no policy "${policy}".`,
      `Its policies are ${names.join(', ')}.`,
    )
  })
}
