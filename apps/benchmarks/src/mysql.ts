import { startMariadb } from '../../../tools/mariadb-server.mjs'
import { runChild } from './child.ts'
import { type MysqlName, mysqlContestants } from './contestants/mysql.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import type { MysqlRun } from './mysql-run.ts'
import { figure, type Section } from './report.ts'
import type { Stretch } from './stretch.ts'

const NAMES = Object.keys(mysqlContestants) as MysqlName[]
const FLIGHTS = [1, 16, 64] as const
/** The checks a second that are wanted, to those of rate-limiter-flexible, by the number in flight. */
const WANTED = { 1: 0.6, 16: 3, 64: 6 } as const

/** Measures checks through MariaDB: one server, and a process per contestant in turns. */
export async function mysql({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 3
  const checks = quick ? 500 : 10_000
  const runs = new Map<MysqlName, MysqlRun[]>(NAMES.map(name => [name, []]))
  const server = await startMariadb()
  try {
    for (let round = 0; round < rounds; round++)
      for (const name of NAMES) {
        const args = [server.url, String(server.process.pid), name, String(checks)]
        runs.get(name)?.push(await runChild<MysqlRun>('mysql-run.js', args))
      }
  } finally {
    await server.stop()
  }
  const of = (name: MysqlName, flight: number, field: keyof Stretch): number =>
    median((runs.get(name) ?? []).map(run => run[flight]?.[field] ?? Number.NaN))
  return {
    name: 'mysql',
    title: 'Through MariaDB: checks a second, server CPU µs a check',
    head: ['', '1', '16', '64', 'server CPU at 1', 'at 16', 'at 64'],
    rows: NAMES.map(name => [
      mysqlContestants[name].name,
      ...FLIGHTS.map(flight => figure(of(name, flight, 'rate'))),
      ...FLIGHTS.map(flight => figure(of(name, flight, 'server'))),
    ]),
    targets: FLIGHTS.map(flight => ({
      what: `${flight} in flight: checks a second, to rate-limiter-flexible`,
      rule: 'least',
      bound: WANTED[flight],
      measured: of('halt', flight, 'rate') / of('flexible', flight, 'rate'),
      unit: '×',
    })),
    notes: [
      `Median of ${rounds} rounds, ${checks} checks a stretch (a tenth of it at 1 in flight) on 10 000 keys, on a pool of mysql2: of four connections for Halt, and of ten for rate-limiter-flexible. The server's data is on disk, and each commit is written to it.`,
    ],
  }
}
