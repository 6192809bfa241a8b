import { runChild } from './child.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import { bytesOfKeys } from './redis-bytes.ts'
import type { RedisRun, Stretch } from './redis-run.ts'
import { figure, type Section, type Target } from './report.ts'
import { startServer } from './server.ts'

const FLIGHTS: readonly number[] = [1, 64, 256]
const RUNS = { haltUser: 'a rate limit', haltQuota: '… with a monthly quota and a penalty' } as const
type Run = keyof typeof RUNS

/** Measures what a quota and a penalty cost a Redis server beside a rate limit, and the size of a quota's key. */
export async function quota({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 7
  const checks = quick ? 1000 : 40_000
  const runs: Record<Run, RedisRun[]> = { haltUser: [], haltQuota: [] }
  const server = await startServer()
  try {
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(RUNS) as Run[]) {
        runs[name].push(await runChild('redis-run.js', [server.url, name, 'ioredis', String(checks)]))
      }
    }
    const of = (name: Run, flight: number, field: keyof Stretch): number =>
      median(runs[name].map(({ own }) => own[flight]?.[field] ?? Number.NaN))
    const bytes = await bytesOfKeys(server.url)
    return {
      name: 'quota',
      title:
        'A monthly quota and a penalty beside a rate limit, through Redis: server CPU µs and calls a check',
      head: [
        '',
        ...FLIGHTS.map(flight => `${flight} in flight`),
        'calls at 1, 64, 256',
        'µs in the script at 1',
      ],
      rows: (Object.keys(RUNS) as Run[]).map(name => [
        RUNS[name],
        ...FLIGHTS.map(flight => figure(of(name, flight, 'server'))),
        FLIGHTS.map(flight => of(name, flight, 'calls').toFixed(2)).join(', '),
        figure(of(name, 1, 'script')),
      ]),
      targets: [
        {
          what: 'calls a check at 1 in flight: a quota and a penalty add none',
          rule: 'most',
          bound: 1,
          // Leaves out the heartbeat, one call in five seconds.
          measured: Math.round(of('haltQuota', 1, 'calls') * 100) / 100,
          unit: 'commands',
        },
        {
          what: 'server CPU a check at 1 in flight, to the rate limit alone',
          rule: 'most',
          bound: 1.4,
          measured: of('haltQuota', 1, 'server') / of('haltUser', 1, 'server'),
          unit: '×',
        },
        ...[64, 256].map((flight): Target => ({
          what: `server CPU a check at ${flight} in flight, in batches, to the rate limit alone`,
          rule: 'most',
          bound: 2,
          measured: of('haltQuota', flight, 'server') / of('haltUser', flight, 'server'),
          unit: '×',
        })),
        { what: "a quota's key", rule: 'most', bound: 152, measured: bytes.quota, unit: 'bytes' },
      ],
      notes: [
        `Median of ${rounds} rounds in turns, ${checks} checks a stretch (a tenth of it at 1 in flight) on 10 000 users, ioredis; server CPU is the server's own INFO cpu, the script its commandstats, bytes are MEMORY USAGE.`,
        'With one check in flight each check is an EVALSHA of its own. More checks share calls and cost less each, so the cost of a policy is a larger share of a smaller sum: three keys are read instead of one, and two are written.',
      ],
    }
  } finally {
    await server.stop()
  }
}
