import { startPostgres } from '../../../tools/postgres-server.mjs'
import { runChild } from './child.ts'
import { type PostgresName, postgresContestants } from './contestants/postgres.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import type { PostgresRun } from './postgres-run.ts'
import { type SweepRun, sweepIdle } from './postgres-sweep.ts'
import { figure, type Section, type Target } from './report.ts'
import type { Stretch } from './stretch.ts'

const NAMES = Object.keys(postgresContestants) as PostgresName[]
const FLIGHTS = [1, 64, 256] as const

type Read = (name: PostgresName, flight: number, field: keyof Stretch) => number

/** Measures checks through PostgreSQL: one server, and a process per contestant in turns. */
export async function postgres({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 3
  const checks = quick ? 500 : 10_000
  const idle = quick ? 10_000 : 1_000_000
  const runs = new Map<PostgresName, PostgresRun[]>(NAMES.map(name => [name, []]))
  const server = await startPostgres()
  try {
    for (let round = 0; round < rounds; round++)
      for (const name of NAMES) {
        const args = [server.url, String(server.process.pid), name, String(checks)]
        runs.get(name)?.push(await runChild<PostgresRun>('postgres-run.js', args))
      }
    const of: Read = (name, flight, field) =>
      median((runs.get(name) ?? []).map(({ stretches }) => stretches[flight]?.[field] ?? Number.NaN))
    const transactions = (name: PostgresName): number =>
      median((runs.get(name) ?? []).map(run => run.transactions))
    const sweep = await sweepIdle(server.url, idle)
    return {
      name: 'postgres',
      title: 'Through PostgreSQL: checks a second, server CPU µs a check, transactions a check',
      head: ['', '1', '64', '256', 'server CPU at 1', 'at 64', 'at 256', 'transactions'],
      rows: NAMES.map(name => [
        postgresContestants[name].name,
        ...FLIGHTS.map(flight => figure(of(name, flight, 'rate'))),
        ...FLIGHTS.map(flight => figure(of(name, flight, 'server'))),
        transactions(name).toFixed(2),
      ]),
      targets: targetsOf(of, transactions('halt'), sweep),
      notes: [
        `Median of ${rounds} rounds, ${checks} checks a stretch (a fifth of it at 1 in flight) on 10 000 keys, each contestant on a pool of ten connections of pg. The server's data is on disk, and fsync is on. Server CPU is that of all its processes.`,
        `A sweep of ${sweep.removed} idle counters took ${figure(sweep.seconds)} s. Of the checks meanwhile, one after the other, the longest took ${figure(sweep.longest)} ms, and 99 of 100 at most ${figure(sweep.p99)} ms.`,
      ],
    }
  } finally {
    await server.stop()
  }
}

function targetsOf(of: Read, transactions: number, sweep: SweepRun): Target[] {
  const times = (flight: number, field: keyof Stretch, peer: PostgresName): number =>
    of('halt', flight, field) / of(peer, flight, field)
  return [
    ...FLIGHTS.flatMap((flight): Target[] => [
      {
        what: `${flight} in flight: checks a second, to rate-limiter-flexible`,
        rule: 'least',
        bound: 1,
        measured: times(flight, 'rate', 'flexible'),
        unit: '×',
      },
      {
        what: `${flight} in flight: server CPU a check, to rate-limiter-flexible`,
        rule: 'most',
        bound: 1,
        measured: times(flight, 'server', 'flexible'),
        unit: '×',
      },
    ]),
    ...([64, 256] as const).map((flight): Target => ({
      what: `${flight} in flight: checks a second, to rate-limiter-flexible with synchronous_commit off`,
      rule: 'least',
      bound: 1,
      measured: times(flight, 'rate', 'flexibleAsync'),
      unit: '×',
    })),
    {
      what: 'transactions a check',
      rule: 'most',
      bound: 1,
      measured: Math.round(transactions * 100) / 100,
      unit: 'commands',
    },
    {
      what: 'sweeping 1 M idle counters',
      rule: 'most',
      bound: 5000,
      measured: sweep.seconds * 1000,
      unit: 'ms',
    },
    {
      what: 'the longest check during that sweep',
      rule: 'most',
      bound: 100,
      measured: sweep.longest,
      unit: 'ms',
    },
  ]
}
