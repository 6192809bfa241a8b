import { mkdirSync, writeFileSync } from 'node:fs'

import { runChild } from '../child.ts'
import { redisPeers, type RedisName } from '../contestants/redis.ts'
import type { ClientName } from '../contestants/contestant.ts'
import { redisContestants } from '../contestants/redis.ts'
import { median } from '../cpu.ts'
import { machine, versions } from '../machine.ts'
import type { MemoryRun } from '../memory-run.ts'
import type { RedisRun } from '../redis-run.ts'
import { startServer } from '../server.ts'
import type { GroupRun } from './group-run.ts'
import type { HungRun } from './hung-run.ts'
import { boundOf, type Claim, type ClaimName, CLAIMS, holds } from './pages.ts'

/** Everything that was measured, run by run. */
interface Raw {
  readonly redis: Record<string, RedisRun[]>
  readonly memory: Record<string, MemoryRun[]>
  readonly hung: HungRun[]
  readonly group: GroupRun
}

const RESULTS = new URL('../../results/', import.meta.url)
const CLIENTS: readonly ClientName[] = ['ioredis', 'node-redis']

/**
 * Measures the numbers that README, site and comparison print, beside the peers, in one run. Prints each with `holds` or `FAILS`, and
 * writes all raw results to `results/claims.json`. Resolves to whether all hold.
 *
 * @param quick a round of fewer checks, in half a minute
 */
export async function claims({ quick }: { readonly quick: boolean }): Promise<boolean> {
  // First, so that a page that no longer prints a number is told of at once.
  const bounds = Object.entries(CLAIMS).map(([name, claim]) => ({
    name: name as ClaimName,
    claim: claim as Claim,
    bound: boundOf(claim),
  }))
  const raw = await measure(quick)
  const measured = valuesOf(raw)
  const verdicts = bounds.map(({ name, claim, bound }) => {
    const value = Number(measured[name].toPrecision(4))
    return {
      name,
      what: claim.what,
      rule: claim.rule,
      bound,
      allowance: claim.allowance ?? 0,
      measured: value,
      unit: claim.unit,
      holds: holds(claim, bound, value),
    }
  })
  for (const { what, rule, bound, allowance, measured: value, unit, holds: isHeld } of verdicts)
    console.log(
      `${isHeld ? 'holds' : 'FAILS'}  ${what}: ${value} ${unit} (${WORDS[rule]} ${bound}${allowance > 0 ? `, and ${allowance} for a busy machine` : ''})`,
    )
  mkdirSync(RESULTS, { recursive: true })
  const result = { quick, machine: machine(), versions: versions(), claims: verdicts, raw }
  writeFileSync(new URL('claims.json', RESULTS), `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(`\n${machine()}\nVersions: ${versions()}.`)
  return verdicts.every(each => each.holds)
}

const WORDS = { most: 'at most', least: 'at least', same: 'exactly' } as const

/** The contestants take turns, so that drift affects all alike. */
async function measure(quick: boolean): Promise<Raw> {
  const rounds = quick ? 1 : 5
  const checks = String(quick ? 10_000 : 40_000)
  const steps = String(quick ? 100_000 : 500_000)
  const redis: Raw['redis'] = {}
  const memory: Raw['memory'] = {}
  const hung: HungRun[] = []
  const server = await startServer()
  try {
    for (let round = 0; round < rounds; round++) {
      for (const name of ['halt', ...redisPeers, 'haltQuota'] as const)
        for (const client of clientsOf(name))
          (redis[`${name} ${client}`] ??= []).push(
            await runChild('redis-run.js', [server.url, name, client, checks]),
          )
      // A process of memory takes a fraction of a second, and its figure wanders most.
      for (let turn = 0; turn < 3; turn++)
        for (const name of ['check', 'halt-bucket', 'fastify', 'hono'])
          (memory[name] ??= []).push(await runChild('memory-run.js', [name, 'hot', steps]))
      hung.push(await runChild('claims/hung-run.js', [server.url]))
    }
  } finally {
    await server.stop()
  }
  return { redis, memory, hung, group: await runChild('claims/group-run.js', []) }
}

function clientsOf(name: RedisName): ClientName[] {
  const known: readonly string[] = redisContestants[name].clients
  return CLIENTS.filter(client => known.includes(client))
}

function valuesOf({ redis, memory, hung, group }: Raw): Record<ClaimName, number> {
  // To INCR just before and after, because the speed of the machine drifts.
  const rate = (name: RedisName, client: ClientName): number =>
    median(
      (redis[`${name} ${client}`] ?? []).map(({ own, incr }) => (own[64]?.rate ?? 0) / (incr[64]?.rate ?? 0)),
    )
  const toFastest = CLIENTS.map(client => {
    const peers = redisPeers.filter(name => clientsOf(name).includes(client))
    return rate('halt', client) / Math.max(...peers.map(name => rate(name, client)))
  })
  const micros = median((memory['check'] ?? []).map(({ own }) => own / 1000))
  const toBare = (name: string): number =>
    median((memory[name] ?? []).map(({ own, yardstick }) => own / yardstick))
  const calls = CLIENTS.map(client =>
    Math.max(...(redis[`haltQuota ${client}`] ?? []).map(({ own }) => own[1]?.calls ?? Number.NaN)),
  )
  return {
    redis: Math.min(...toFastest),
    check: micros,
    hung: 100 + Math.max(...hung.map(({ late }) => late)),
    waits: Math.min(...hung.map(({ waiting }) => waiting.length)),
    trip: Math.max(...calls),
    hot: Math.max(toBare('fastify'), toBare('hono')) / toBare('halt-bucket'),
    group: group.peer,
    name: group.halt,
  }
}
