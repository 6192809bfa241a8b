import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Opened, Task } from './contestants/contestant.ts'
import { runChecks } from './contestants/databases.ts'
import { type SqliteName, sqliteContestants } from './contestants/sqlite.ts'
import { cpuNanos } from './cpu.ts'
import { addressAt } from './keys.ts'

/** One stretch of checks with a fixed number in flight. */
export interface SqliteStretch {
  /** Checks per second of wall time. */
  readonly rate: number
  /** The CPU time of the process, in microseconds per check. */
  readonly cpu: number
}

/** The results of one process, by the number of checks in flight. */
export type SqliteRun = Record<number, SqliteStretch>

const FLIGHTS: readonly number[] = [1, 64]
const TASK: Task = { limit: 1_000_000, windowMs: 600_000 }
const KEYS = 10_000

async function main(name: SqliteName, checks: number): Promise<SqliteRun> {
  const folder = mkdtempSync(join(tmpdir(), 'halt-bench-'))
  try {
    const own = await sqliteContestants[name].open(join(folder, 'limits.db'), TASK)
    const keys = Array.from({ length: KEYS }, (_, i) => addressAt(i * 13))
    await stretch(own, keys, 64, Math.max(KEYS, checks / 2))
    // A disk takes longer while the log grows, which only the first thousand pages make it do.
    await stretch(own, keys, 1, Math.min(1_500, checks))
    const run: SqliteRun = {}
    for (const flight of FLIGHTS) run[flight] = await stretch(own, keys, flight, checks)
    await own.close?.()
    return run
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function stretch(
  opened: Opened<unknown>,
  keys: readonly string[],
  flight: number,
  count: number,
): Promise<SqliteStretch> {
  const cpu = cpuNanos()
  const started = performance.now()
  await runChecks(opened, keys, flight, count)
  const wall = performance.now() - started
  return { rate: (count / wall) * 1000, cpu: (cpuNanos() - cpu) / count / 1000 }
}

const [, , name = '', checks = '20000'] = process.argv
console.log(JSON.stringify(await main(name as SqliteName, Number(checks))))
