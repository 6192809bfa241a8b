import { runChild } from './child.ts'
import { type SqliteName, sqliteContestants } from './contestants/sqlite.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import { figure, type Section, type Target } from './report.ts'
import type { SqliteRun, SqliteStretch } from './sqlite-run.ts'

const NAMES = Object.keys(sqliteContestants) as SqliteName[]
const FLIGHTS = [1, 64] as const

type Read = (name: SqliteName, flight: number, field: keyof SqliteStretch) => number

/** Measures checks through a file of SQLite: a process per contestant in turns, each with a file of its own. */
export async function sqlite({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 3
  const checks = quick ? 500 : 10_000
  const runs = new Map<SqliteName, SqliteRun[]>(NAMES.map(name => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of NAMES)
      runs.get(name)?.push(await runChild<SqliteRun>('sqlite-run.js', [name, String(checks)]))
  const of: Read = (name, flight, field) =>
    median((runs.get(name) ?? []).map(run => run[flight]?.[field] ?? Number.NaN))
  return {
    name: 'sqlite',
    title: 'Through SQLite: checks a second, CPU µs a check',
    head: ['', '1', '64', 'CPU at 1', 'at 64'],
    rows: NAMES.map(name => [
      sqliteContestants[name].name,
      ...FLIGHTS.map(flight => figure(of(name, flight, 'rate'))),
      ...FLIGHTS.map(flight => figure(of(name, flight, 'cpu'))),
    ]),
    targets: targetsOf(of),
    notes: [
      `Median of ${rounds} rounds, ${checks} checks a stretch on 10 000 keys, by better-sqlite3, with the log (WAL). Where synchronous is FULL, the disk decides the rate.`,
    ],
  }
}

function targetsOf(of: Read): Target[] {
  const pairs = [
    ['halt', 'flexible', 'rate-limiter-flexible'],
    ['haltPower', 'flexiblePower', 'rate-limiter-flexible, both with synchronous FULL'],
  ] as const
  return pairs.flatMap(([own, peer, words]) =>
    FLIGHTS.map((flight): Target => ({
      what: `${flight} in flight: checks a second, to ${words}`,
      rule: 'least',
      bound: 1,
      measured: of(own, flight, 'rate') / of(peer, flight, 'rate'),
      unit: '×',
    })),
  )
}
