import { type LimitUsage, usageByUser } from '@halt/control'

import { COMMAND } from '../command/command.ts'
import { grouped } from '../table.ts'
import type { OpenClient } from './client.ts'
import type { ClientReading } from './client-views.ts'
import { instantOf } from './list-commands.ts'

/** The use of one limit of a client by its users. */
export interface ClientUsage extends LimitUsage {
  /** The units that its counter holds; undefined if the limits file does not reach it. */
  readonly used: number | undefined
}

/** How many users of a limit are listed. */
const MOST_USERS = 50

/** Asks the store who used the limits of a client, such as a company, as the processes have counted it. */
export async function usersOf(
  { control, store, identity }: OpenClient,
  { plans }: ClientReading,
): Promise<readonly ClientUsage[]> {
  const counters = plans.flatMap(({ views }) => views.flatMap(view => view.counters))
  return (await usageByUser(store, control.keyOf(identity))).map(usage => ({
    ...usage,
    used: counters.find(({ policy, counter }) => policy === usage.policy && counter === 'own')?.used,
  }))
}

/** The lines about the users of a client. */
export function linesOfUsers(usages: readonly ClientUsage[]): string[] {
  if (usages.length === 0) return [NOBODY_TELLS]
  return usages.flatMap(({ policy, since, until, users, others, used }) => {
    const told = users.reduce((sum, { units }) => sum + units, others)
    const listed = users.slice(0, MOST_USERS)
    const rest = users.slice(MOST_USERS).reduce((sum, { units }) => sum + units, others)
    const rows = listed.map(({ key, units }): [string, number] => [key, units])
    if (rest > 0) rows.push(['without a user, or of others', rest])
    if (used !== undefined && used > told) rows.push(['not counted by user', used - told])
    const width = Math.max(...rows.map(([name]) => name.length))
    const whole = used === undefined ? '' : `, ${grouped(used)} used now`
    return [
      `Used by (${policy}, counted since ${instantOf(since * 1000)} until ${instantOf(until * 1000)}${whole}):`,
      ...rows.map(([name, units]) => `  ${name.padEnd(width)}  ${grouped(units)}`),
      ...(used !== undefined && used < told ? [GIVEN_BACK] : []),
    ]
  })
}

const GIVEN_BACK =
  '  The requests asked for more than is used now: units were given back, or the counter was reset.'
const NOBODY_TELLS = `No process has told who used it yet. Ask again in a few seconds, and give the limiters a telemetry: new UsageByUser({ store, policies: ["<policy>"] }) of @halt/control; "${COMMAND} find <whom> --users" tells what is used from then on.`
