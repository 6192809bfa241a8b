import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

import type { Task } from './contestants/contestant.ts'
import { type PostgresName, postgresContestants } from './contestants/postgres.ts'
import { addressAt } from './keys.ts'
import { type Stretch, stretch } from './stretch.ts'

/** The results of one process: by the number of checks in flight, and the transactions of a check. */
export interface PostgresRun {
  readonly stretches: Record<number, Stretch>
  readonly transactions: number
}

export const FLIGHTS: readonly number[] = [1, 64, 256]
const TASK: Task = { limit: 1_000_000, windowMs: 600_000 }
const KEYS = 10_000

async function main(url: string, pid: number, name: PostgresName, checks: number): Promise<PostgresRun> {
  const own = await postgresContestants[name].open(url, TASK)
  const keys = Array.from({ length: KEYS }, (_, i) => addressAt(i * 13))
  const stretches: Record<number, Stretch> = {}
  await stretch(own, keys, 64, Math.max(KEYS, checks / 2), pid)
  const before = await commits(url)
  let total = 0
  for (const flight of FLIGHTS) {
    const count = flight === 1 ? Math.ceil(checks / 5) : checks
    stretches[flight] = await stretch(own, keys, flight, count, pid)
    total += count
  }
  await own.close?.()
  const after = await commits(url)
  return { stretches, transactions: (after - before) / total }
}

// A connection tells its transactions to the server within a second, at the latest when it ends.
async function commits(url: string): Promise<number> {
  await sleep(1500)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ commits: string }>(
    'SELECT xact_commit + xact_rollback AS commits FROM pg_stat_database WHERE datname = current_database()',
  )
  await client.end()
  return Number(rows[0]?.commits)
}

const [, , url = '', pid = '', name = '', checks = '20000'] = process.argv
console.log(JSON.stringify(await main(url, Number(pid), name as PostgresName, Number(checks))))
