import { type Policy, HaltError, type Quota, QuotaManager } from '@halt/core'

import { type Call, type Command, COMMAND, ExitCode, valueOf } from '../command/command.ts'
import { commandError, wholeIn } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, jsonLine, print } from '../io.ts'
import { type Limits, policiesOf } from '../limits/limits-file.ts'
import { grouped } from '../table.ts'
import { actOf, controlFlags, SECRET_NOTE, whoFlags, withControl } from './control.ts'
import { checkReach } from './policy-check.ts'
import { nameOf, targetFlags, targetOf, WHOM_NOTE } from './target.ts'

/** `halt grant`: gives a client more units of a quota. */
export const grantCommand: Command = {
  name: 'grant',
  summary: 'Gives a client more units of a quota, until its period ends.',
  usage: '<whom> <quota> <units> --policy <limits.mjs>',
  example:
    'grant user:42 pro_month 1000 --policy limits.mjs --reason "our outage" --redis redis://localhost:6379',
  takes: [3, 3],
  flags: {
    once: {
      value: 'text',
      help: 'A text of your own: a grant with a text that was given before adds nothing.',
    },
    ...whoFlags(),
    json: { help: 'Prints JSON.' },
    ...targetFlags,
    ...controlFlags,
  },
  more: [
    WHOM_NOTE,
    'The units end with the period, and stand in the history. Exit code 1 says that --once was given before, so nothing was added.',
    SECRET_NOTE,
  ],
  run(call, io) {
    if (valueOf(call, 'policy') === undefined)
      throw commandError(
        'halt grant got no --policy.',
        `Write: ${COMMAND} grant user:42 monthly 1000 --policy limits.mjs --redis redis://localhost:6379`,
      )
    return grant(call, io)
  },
}

function grant(call: Call, io: CliIo): Promise<number> {
  return withControl(call, io, async (control, opened) => {
    const { store, limits, identityOptions, obeyed } = opened
    const [whom = '', name = '', text = ''] = call.positionals
    const units = wholeIn('The number of units', text, 1, Number.MAX_SAFE_INTEGER)
    const identity = targetOf(whom, call)
    await control.refresh()
    const [quota, others] = await withValues(() => quotasIn(limits as Limits, name))
    await checkReach([quota], nameOf(whom, call), identity, opened, true)
    const quotas = new QuotaManager(store, { ...identityOptions, control: obeyed, warn: () => {} })
    const once = valueOf(call, 'once')
    const before = (await quotas.checkQuota(identity, quota)).quota.granted
    const status = await withValues(() =>
      quotas.grantQuota(identity, quota, units, once === undefined ? {} : { idempotencyKey: `cli ${once}` }),
    )
    const { granted, remaining, limit, used, resetAt } = status
    const { reason, by } = actOf(call)
    // The store ignores a grant whose id it has seen, so the history gets no act for it.
    if (granted !== before) await control.note('grant', { identity, policy: name, units }, { reason, by })
    const until = new Date(resetAt * 1000).toISOString().replace('.000Z', 'Z')
    // Plans may have quotas of one name with different limits. Then the plan decides how many units are left.
    const left = others.every(other => other.limit === quota.limit) ? `, and ${grouped(remaining)} left` : ''
    const line = `${nameOf(whom, call)} has ${grouped(granted)} units of ${name} on top until ${until}${left}.`
    const data = { quota: name, granted, remaining, limit, used, resetAt }
    await print(io, [call.flags['json'] === true ? jsonLine(data) : line])
    return granted === before ? ExitCode.FOUND : ExitCode.DONE
  })
}

/** A quota by its name, and those of other plans with that name. @throws HaltError `HALT_E_UNKNOWN_POLICY` */
function quotasIn({ plans, file }: Limits, name: string): readonly [Quota, readonly Quota[]] {
  const quotas = plans.flatMap(({ settings }) => policiesOf(settings).filter(isQuota))
  const [found, ...others] = quotas.filter(quota => quota.name === name)
  if (found !== undefined) return [found, others]
  const names = [...new Set(quotas.map(quota => quota.name))]
  throw new HaltError(
    'HALT_E_UNKNOWN_POLICY',
    `${file} has no quota "${name}".`,
    names.length === 0 ? 'A quota is a policy with a period.' : `Its quotas are ${names.join(', ')}.`,
  )
}

function isQuota(policy: Policy): policy is Quota {
  return 'period' in policy && policy.period !== undefined
}
