import { type ActOptions, checkPausable, pauseLength } from '@halt/control'
import type { RateLimiter } from '@halt/core'

import { type Call, type Command, ExitCode } from '../command/command.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, print, printable } from '../io.ts'
import { countersOf } from './client-views.ts'
import { chosenByFunction, openLimiter } from './client.ts'
import { actFlags, actOf, controlFlags, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { instantOf } from './list-commands.ts'
import { checkReach, policiesNamed } from './policy-check.ts'
import { needLimits } from './store.ts'
import { toPaste, nameOf, targetFlags, targetOf, type Whom, WHOM_NOTE, wordOf } from './target.ts'

const more = [
  WHOM_NOTE,
  'The limits of tools belong to the limits file too: export const policy = [...limits, ...guard.limits()].',
  SECRET_NOTE,
]

/** `halt pause` and `halt resume`: one limit refuses a client, as that of a tool. They change its counter, and no entry. */
export const pauseCommands: readonly Command[] = [
  {
    name: 'pause',
    summary:
      'Refuses a client by one limit alone, such as that of a tool, in every process. Its counts stay.',
    usage: '<whom> <policy> --policy <limits.ts>',
    example:
      'pause user:42 tool_send_mail --for 2h --policy limits.ts --reason "mails to strangers" --redis redis://localhost:6379',
    takes: [2, 2],
    flags: { ...actFlags, ...targetFlags, ...controlFlags },
    more,
    run: (call, io) =>
      withLimits('pause', call, io, async ({ name, policy, identity, limiters }) => {
        const length = pauseLength(actOf(call))
        for (const limiter of limiters) await withValues(() => limiter.pause(identity, length))
        await print(io, [
          printable(`${policy} refuses ${name} ${spanOf(actOf(call))}. Other limits let it pass.`),
          `End it: ${toPaste(`resume ${wordOf(name)} ${policy}`, call)}`,
        ])
        return ExitCode.DONE
      }),
  },
  {
    name: 'resume',
    summary: 'Ends what pause began, and any other cool-down of that limit.',
    usage: '<whom> <policy> --policy <limits.ts>',
    example: 'resume user:42 tool_send_mail --policy limits.ts --redis redis://localhost:6379',
    takes: [2, 2],
    flags: { ...whoFlags(), ...targetFlags, ...controlFlags },
    more,
    run: (call, io) =>
      withLimits('resume', call, io, async ({ name, policy, identity, limiters }) => {
        const were = await Promise.all(limiters.map(limiter => isCooling(limiter, identity)))
        for (const limiter of limiters) await limiter.resume(identity)
        const found = were.includes(true)
        await print(io, [
          printable(
            found
              ? `${policy} does not refuse ${name} by a pause or a cool-down any more.`
              : `${policy} had neither a pause nor a cool-down for ${name}.`,
          ),
        ])
        return found ? ExitCode.DONE : ExitCode.FOUND
      }),
  },
]

function spanOf({ for: length, until }: ActOptions): string {
  if (until !== undefined) return `until ${instantOf(until.getTime())}`
  return length === undefined ? 'until somebody resumes it' : `for ${length}`
}

/** A client, and the limits of one name that it may have, each with a limiter of its own. */
interface Limits {
  readonly name: string
  readonly policy: string
  readonly identity: Whom
  readonly limiters: readonly RateLimiter[]
}

/** Reads `<whom> <policy>`, calls `use`, and notes the act in the history if something was done. */
function withLimits(
  act: 'pause' | 'resume',
  call: Call,
  io: CliIo,
  use: (limits: Limits) => Promise<number>,
): Promise<number> {
  needLimits(call, `${act} user:42 tool_send_mail`)
  return withControl(call, io, async (control, opened) => {
    const [whom = '', policy = ''] = call.positionals
    const [identity, name] = [await targetOf(whom, call, control), nameOf(whom, call)]
    const found = await policiesNamed(policy, opened.limits)
    const [first] = found
    if (first === undefined) throw chosenByFunction(opened.limits?.file ?? '')
    await withValues(() => checkPausable(first))
    await checkReach(found, name, identity, opened)
    const own = opened.limits?.plans[0]?.settings
    const limiters = found.map(each => openLimiter({ ...own, policy: each }, opened))
    const code = await use({ name, policy, identity, limiters })
    if (code === ExitCode.DONE) await control.note(act, { identity, policy }, actOf(call))
    return code
  })
}

async function isCooling(limiter: RateLimiter, identity: Whom): Promise<boolean> {
  return (await countersOf(limiter, identity)).some(({ blockedUntil }) => blockedUntil > 0)
}
