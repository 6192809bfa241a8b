import { runChild } from './child.ts'
import type { ClientName } from './contestants/contestant.ts'
import { redisContestants, type RedisName, redisPeers } from './contestants/redis.ts'
import { median } from './cpu.ts'
import type { Effort } from './memory.ts'
import { bytesOfKeys } from './redis-bytes.ts'
import { type Figures, redisTargets, type RunKey } from './redis-targets.ts'
import { figure, type Section } from './report.ts'
import type { RedisRun } from './redis-run.ts'
import { startServer } from './server.ts'

const CLIENTS: readonly ClientName[] = ['ioredis', 'node-redis']
const ORDER: readonly RedisName[] = [
  'halt',
  ...redisPeers,
  'haltUser',
  'haltQuota',
  'haltFair',
  'haltDenied',
  'flexibleDenied',
  'bareScript',
]

/** Measures checks through Redis: one server, a process per contestant in turns, and INCR on the same client around each. */
export async function redis({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 5
  const checks = quick ? 1000 : 40_000
  const keys = ORDER.flatMap(name =>
    CLIENTS.filter(client => (redisContestants[name].clients as readonly string[]).includes(client)).map(
      client => `${name} ${client}` as RunKey,
    ),
  )
  const runs = new Map<RunKey, RedisRun[]>(keys.map(key => [key, []]))
  const server = await startServer()
  try {
    for (let round = 0; round < rounds; round++) {
      for (const key of keys) {
        const [name, client] = key.split(' ') as [RedisName, ClientName]
        runs.get(key)?.push(await runChild('redis-run.js', [server.url, name, client, String(checks)]))
      }
    }
    const over = (key: RunKey, read: (run: RedisRun) => number | undefined): number =>
      median((runs.get(key) ?? []).map(run => read(run) ?? Number.NaN))
    const figures: Figures = {
      of: (key, flight, field) => over(key, run => run.own[flight]?.[field]),
      relative: (key, flight) =>
        over(key, ({ own, incr }) => (own[flight]?.rate ?? 0) / (incr[flight]?.rate ?? 0)),
    }
    const bytes = await bytesOfKeys(server.url)
    return {
      name: 'redis',
      title:
        'Through Redis: checks a second (ratio to INCR on the same client), CPU µs a check, calls a check',
      head: [
        '',
        'answer',
        'client',
        '1',
        '64',
        '256',
        'client CPU at 64',
        'server CPU at 64',
        'at 256',
        'calls at 1, 64, 256',
        'script µs a call at 1',
      ],
      rows: keys.map(key => row(key, figures)),
      targets: redisTargets(figures, bytes),
      notes: [
        `Median of ${rounds} rounds, ${checks} checks a stretch (a tenth of it at 1 in flight) on 10 000 keys; rates are wall time, so compare ratios. Server CPU is the server's own INFO cpu, scripts are its commandstats.`,
        `Bytes a key by MEMORY USAGE: token bucket ${figure(bytes.bucket)}, quota ${figure(bytes.quota)}, bucket that users share ${figure(bytes.pool)} and each of them ${figure(bytes.tenant)}: the values have 57 and 20 bytes, the rest is the key and Redis's own.`,
        'nest-lab sends the whole script with every check (EVAL).',
        'Denied: 100 addresses that are far above their limit, so every check is refused. Both limiters remember refusals in the process: Halt for a second, rate-limiter-flexible until the window ends.',
      ],
    }
  } finally {
    await server.stop()
  }
}

function row(key: RunKey, figures: Figures): string[] {
  const [name, client] = key.split(' ') as [RedisName, ClientName]
  const rate = (flight: number): string =>
    `${figure(figures.of(key, flight, 'rate') / 1000)}k (${figures.relative(key, flight).toFixed(2)} ×)`
  return [
    redisContestants[name].name,
    redisContestants[name].answer,
    client,
    rate(1),
    rate(64),
    rate(256),
    figure(figures.of(key, 64, 'client')),
    figure(figures.of(key, 64, 'server')),
    figure(figures.of(key, 256, 'server')),
    [1, 64, 256].map(flight => figures.of(key, flight, 'calls').toFixed(2)).join(', '),
    figure(figures.of(key, 1, 'script')),
  ]
}
