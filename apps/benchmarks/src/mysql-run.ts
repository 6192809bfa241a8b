import type { Task } from './contestants/contestant.ts'
import { type MysqlName, mysqlContestants } from './contestants/mysql.ts'
import { addressAt } from './keys.ts'
import { type Stretch, stretch } from './stretch.ts'

/** The results of one process, by the number of checks in flight. */
export type MysqlRun = Record<number, Stretch>

const FLIGHTS: readonly number[] = [1, 16, 64]
const TASK: Task = { limit: 1_000_000, windowMs: 600_000 }
const KEYS = 10_000

async function main(uri: string, pid: number, name: MysqlName, checks: number): Promise<MysqlRun> {
  const own = await mysqlContestants[name].open(uri, TASK)
  const keys = Array.from({ length: KEYS }, (_, i) => addressAt(i * 13))
  const run: MysqlRun = {}
  await stretch(own, keys, 64, Math.max(KEYS, checks / 2), pid)
  for (const flight of FLIGHTS)
    run[flight] = await stretch(own, keys, flight, flight === 1 ? Math.ceil(checks / 10) : checks, pid)
  await own.close?.()
  return run
}

const [, , uri = '', pid = '', name = '', checks = '20000'] = process.argv
console.log(JSON.stringify(await main(uri, Number(pid), name as MysqlName, Number(checks))))
