import type { ClientName } from './contestants/contestant.ts'
import { redisContestants, type RedisName, redisPeers } from './contestants/redis.ts'
import type { KeyBytes } from './redis-bytes.ts'
import type { Stretch } from './redis-run.ts'
import type { Target } from './report.ts'

/** The runs: every contestant on each of its clients. */
export type RunKey = `${RedisName} ${ClientName}`

/** The medians over all rounds. */
export interface Figures {
  of(key: RunKey, flight: number, field: keyof Stretch): number
  /** Checks per second, as a multiple of the INCRs per second before and after, on the same client in the same process. */
  relative(key: RunKey, flight: number): number
}

const INCR_TARGETS: readonly (readonly [what: string, name: RedisName, flight: number, bound: number])[] = [
  ['checks a second', 'halt', 1, 0.91],
  ['limiter.consume a second', 'haltUser', 1, 0.88],
  ['limiter.consume a second', 'haltUser', 64, 1.9],
  ['limiter.consume a second', 'haltUser', 256, 2.8],
  ['denied under attack', 'haltDenied', 256, 6],
]

/** The targets through Redis, by client. */
export function redisTargets(figures: Figures, bytes: KeyBytes): Target[] {
  return [
    ...(['ioredis', 'node-redis'] as const).flatMap(client => speed(figures, client)),
    ...INCR_TARGETS.map(([what, name, flight, bound]): Target => {
      const measured = figures.relative(`${name} ioredis`, flight)
      return {
        what: `ioredis, ${flight} in flight: ${what}, to INCRs`,
        rule: 'least',
        bound,
        measured,
        unit: '×',
      }
    }),
    {
      what: 'one EVALSHA a check: the script, to a script of TIME, GET, SET PX',
      rule: 'most',
      bound: 1.3,
      measured: figures.of('halt ioredis', 1, 'script') / figures.of('bareScript ioredis', 1, 'script'),
      unit: '×',
    },
    {
      what: 'a fair check: the script, to that of a bucket alone',
      rule: 'most',
      bound: 2,
      measured: figures.of('haltFair ioredis', 1, 'script') / figures.of('halt ioredis', 1, 'script'),
      unit: '×',
    },
    { what: 'a bucket that tenants share', rule: 'most', bound: 128, measured: bytes.pool, unit: 'bytes' },
    { what: 'a tenant of it', rule: 'most', bound: 96, measured: bytes.tenant, unit: 'bytes' },
    { what: "a token bucket's key, IPv4", rule: 'most', bound: 140, measured: bytes.bucket, unit: 'bytes' },
  ]
}

function speed(figures: Figures, client: ClientName): Target[] {
  const halt: RunKey = `halt ${client}`
  const peers = redisPeers.filter(name =>
    (redisContestants[name].clients as readonly string[]).includes(client),
  )
  const fastest = (flight: number): RunKey =>
    peers
      .map((name): RunKey => `${name} ${client}`)
      .reduce(
        (best, key) => (figures.relative(key, flight) > figures.relative(best, flight) ? key : best),
        `${peers[0] as 'express'} ${client}`,
      )
  const faster = (flight: number): number =>
    figures.relative(halt, flight) / figures.relative(fastest(flight), flight)
  const cheaper = (flight: number): number =>
    figures.of(halt, flight, 'server') / figures.of(fastest(flight), flight, 'server')
  const most = Math.max(...[1, 64, 256].map(flight => figures.of(halt, flight, 'calls')))
  return [
    {
      what: `${client}: calls a check, at most`,
      rule: 'most',
      bound: 1,
      measured: rounded(most),
      unit: 'commands',
    },
    {
      what: `${client}, 1 in flight: checks a second, to the fastest peer`,
      rule: 'least',
      bound: 1,
      measured: faster(1),
      unit: '×',
    },
    {
      what: `${client}, 64 in flight: checks a second, to the fastest peer`,
      rule: 'least',
      bound: 1.7,
      measured: faster(64),
      unit: '×',
    },
    {
      what: `${client}, 256 in flight: checks a second, to the fastest peer`,
      rule: 'least',
      bound: 3,
      measured: faster(256),
      unit: '×',
    },
    {
      what: `${client}, 64 in flight: server CPU a check, to that peer`,
      rule: 'most',
      bound: 0.7,
      measured: cheaper(64),
      unit: '×',
    },
    {
      what: `${client}, 256 in flight: server CPU a check, to that peer`,
      rule: 'most',
      bound: 0.7,
      measured: cheaper(256),
      unit: '×',
    },
  ]
}

// Leaves out the heartbeat, one call in five seconds.
function rounded(calls: number): number {
  return Math.round(calls * 100) / 100
}
