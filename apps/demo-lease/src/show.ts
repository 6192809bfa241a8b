import { type FleetCount, type FleetOptions, runFleet } from './fleet.ts'

/** What a show needs. */
export interface Show {
  readonly print: (line: string) => void
  /** Starts the processes of a scene, which has counters of its own. */
  readonly fleet: () => FleetOptions
  /** How long the processes of the first scene ask, in milliseconds. */
  readonly ms: number
  /** The units of the scenes in which the limit is reached. */
  readonly limit: number
}

/** So many units that nobody is refused. */
const WIDE = 1_000_000_000
const KILL_AFTER_MS = 20

/** Shows processes that share one busy limit, without a lease and with one. Resolves to true if all was as it should be. */
export async function show({ print, fleet, ms, limit }: Show): Promise<boolean> {
  let ok = true
  const check = (what: string, holds: boolean): void => {
    print(`  ${holds ? '✓' : '✗'} ${what}`)
    ok &&= holds
  }

  print('\nFar below the limit: how many checks a second?')
  const exact = await runFleet(fleet(), { limit: WIDE, isLeased: false, ms })
  print(speed('exact', exact))
  const leased = await runFleet(fleet(), { limit: WIDE, isLeased: true, ms })
  print(speed('leased', leased))
  check('no check is refused', exact.admitted === exact.asked && leased.admitted === leased.asked)
  check('fewer than 5 % of the leased checks reach Redis', leased.calls < 0.05 * leased.asked)

  print(`\nAt the limit: ${number(limit)} units in this hour, and many more asks`)
  const tight = await runFleet(fleet(), { limit, isLeased: true })
  print(row('leased', tight))
  check(`${number(tight.admitted)} are admitted, not one too many`, tight.admitted <= limit)
  check('the last units are exact: not one is left over', tight.admitted === limit)

  print('\nThe same once more, and a process is killed. Its units are lost, and nobody spends them twice')
  const killed = await runFleet(fleet(), { limit, isLeased: true }, KILL_AFTER_MS)
  print(row('leased', killed))
  check(`${number(killed.admitted)} are admitted, not one too many`, killed.admitted <= limit)
  return ok
}

function speed(name: string, count: FleetCount): string {
  return `${row(name, count)}, ${number(count.rate)} checks a second`
}

function row(name: string, { asked, admitted, calls }: FleetCount): string {
  return `  ${name.padEnd(8)}${number(asked)} asked, ${number(admitted)} admitted, ${number(calls)} calls of Redis`
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en')
}
