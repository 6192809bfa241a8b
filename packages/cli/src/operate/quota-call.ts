import { type Policy, HaltError, type Quota, QuotaManager } from '@halt/core'

import type { Call } from '../command/command.ts'
import { wholeIn } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import type { CliIo } from '../io.ts'
import { type Limits, policiesOf } from '../limits/limits-file.ts'
import { type OpenControl, withControl } from './control.ts'
import { checkReach } from './policy-check.ts'
import { needLimits } from './store.ts'
import { nameOf, targetOf, type Whom } from './target.ts'

/** A call of a command about the units of one client's quota. */
export interface QuotaCall extends OpenControl {
  readonly identity: Whom
  /** The client, in the words of the caller. */
  readonly name: string
  readonly quota: Quota
  /** Whether each plan gives the quota one limit, so that no plan decides how many units are left. */
  readonly isOneLimit: boolean
  readonly units: number
  readonly quotas: QuotaManager
}

/**
 * Reads `<whom> <quota> <units>`, finds the quota in the limits file, and calls `use`.
 *
 * @throws HaltError `HALT_E_COMMAND` without `--policy`, or for a quota that does not count the client; `HALT_E_UNKNOWN_POLICY`
 */
export function withQuota(
  command: string,
  call: Call,
  io: CliIo,
  use: (called: QuotaCall) => Promise<number>,
): Promise<number> {
  needLimits(call, `${command} user:42 monthly 1000`)
  return withControl(call, io, async (control, opened) => {
    const { store, limits, identityOptions, obeyed } = opened
    const [whom = '', policy = '', text = ''] = call.positionals
    const units = wholeIn('The number of units', text, 1, Number.MAX_SAFE_INTEGER)
    const identity = await targetOf(whom, call, control)
    const name = nameOf(whom, call)
    await control.refresh()
    const [quota, others] = await withValues(() => quotasIn(limits as Limits, policy))
    await checkReach([quota], name, identity, opened, true)
    const quotas = new QuotaManager(store, { ...identityOptions, control: obeyed, warn: () => {} })
    const isOneLimit = others.every(other => other.limit === quota.limit)
    return use({ ...opened, control, identity, name, quota, isOneLimit, units, quotas })
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
