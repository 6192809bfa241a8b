import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Place, QUOTA } from './quota.ts'
import { Worker } from './workers.ts'

/** The surroundings of a show. */
export interface Show {
  readonly print: (line: string) => void
  /** The script of a process. Default: the built one. */
  readonly script?: string | undefined
}

const KILL_AFTER = 3_000
const PROCESSES = 4

/** Shows a quota that lives through a killed process, and one that does not. Resolves to true if all was as it should be. */
export async function show({ print, script }: Show): Promise<boolean> {
  let ok = true
  const check = (what: string, holds: boolean): void => {
    print(`  ${holds ? '✓' : '✗'} ${what}`)
    ok &&= holds
  }
  const limit = QUOTA.limit as number
  const start = (place: Place): Worker => new Worker(place, script)
  const folder = await mkdtemp(join(tmpdir(), 'halt-demo-'))
  try {
    const file = { path: join(folder, 'limits.db') }
    print(`A customer may make ${number(limit)} exports a month. They are counted in a file. No server runs.`)

    print('\nA process works for the customer, and is killed without warning')
    const before = await start(file).killAfter(KILL_AFTER)
    print(`  ${number(before)} exports were made`)

    print(`\n${PROCESSES} new processes work at once, until the month is used up`)
    const workers = Array.from({ length: PROCESSES }, () => start(file))
    const shares = await Promise.all(workers.map(worker => worker.end()))
    const after = shares.reduce((sum, share) => sum + share)
    print(`  ${shares.map(number).join(' + ')} = ${number(after)} exports were made`)
    check(`the exports before the kill count: ${number(after)} were left`, after <= limit - before)
    const lost = limit - before - after
    check(`${number(before + after)} in this month, not one too many`, lost === 0 || lost === 1)
    if (lost === 1) print('    (the killed process had counted one that it could not make any more)')

    print('\nThe same with the counters in memory')
    const gone = await start('memory').killAfter(KILL_AFTER)
    const again = await start('memory').end()
    print(`  ${number(gone)} exports were made, and after the kill ${number(again)} more`)
    check('the quota ended with the process', again === limit)
  } finally {
    await rm(folder, { recursive: true })
  }
  return ok
}

function number(value: number): string {
  return value.toLocaleString('en')
}
