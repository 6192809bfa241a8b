import type { ClientName, Opened, RedisContestant, Task } from './contestants/contestant.ts'
import { redisContestants, type RedisName } from './contestants/redis.ts'
import { cpuNanos } from './cpu.ts'
import { addressAt } from './keys.ts'
import { ServerWatch } from './server-cpu.ts'

/** One stretch of checks with a fixed number in flight. All figures are per check. */
export interface Stretch {
  /** Checks per second of wall time. */
  readonly rate: number
  /** The CPU time of this process, in microseconds. */
  readonly client: number
  /** The CPU time of the server, in microseconds. */
  readonly server: number
  /** Script calls or INCRs. */
  readonly calls: number
  /** The time inside a call, in microseconds per call, not per check. */
  readonly script: number
}

/** The results of one process: one contestant by the number of checks in flight, and INCR before and after it. */
export type RedisRun = Record<'own' | 'incr', Record<number, Stretch>>

export const FLIGHTS: readonly number[] = [1, 64, 256]
const TASK: Task = { limit: 1_000_000, windowMs: 600_000 }
const KEYS = 10_000
// An attack: the warm-up takes all that these keys are allowed for the whole run.
const ATTACK: Task = { limit: 10, windowMs: 600_000 }
const ATTACKED_KEYS = 100

async function main(url: string, name: RedisName, client: ClientName, checks: number): Promise<RedisRun> {
  const contestant: RedisContestant = redisContestants[name]
  const watch = new ServerWatch(url)
  await watch.clear()
  const { isAttacked = false } = contestant
  const keys = Array.from({ length: isAttacked ? ATTACKED_KEYS : KEYS }, (_, i) => addressAt(i * 13))
  const yard = await redisContestants.increment.open(url, client, TASK)
  const own = await contestant.open(url, client, isAttacked ? ATTACK : TASK)
  const run: RedisRun = { own: {}, incr: {} }
  for (const flight of FLIGHTS) {
    const count = flight === 1 ? Math.ceil(checks / 10) : checks
    // Warms up until everything is compiled, because a server is warm for all but its first seconds.
    const warm = Math.ceil(Math.max(count, checks) / 4)
    // Refusals come from memory. So that they take as long as the others, more of them are measured.
    const ownCount = isAttacked ? 10 * checks : count
    await stretch(yard, keys, flight, warm, watch)
    await stretch(own, keys, flight, isAttacked ? ownCount : warm, watch)
    const before = await stretch(yard, keys, flight, Math.ceil(count / 2), watch, count / 2)
    run.own[flight] = await stretch(own, keys, flight, ownCount, watch, isAttacked ? 0 : count)
    const after = await stretch(yard, keys, flight, Math.ceil(count / 2), watch, count / 2)
    run.incr[flight] = {
      ...before,
      rate: (before.rate + after.rate) / 2,
      client: (before.client + after.client) / 2,
      server: (before.server + after.server) / 2,
    }
  }
  await own.close?.()
  await yard.close?.()
  watch.close()
  return run
}

async function stretch(
  opened: Opened<unknown>,
  keys: readonly string[],
  flight: number,
  count: number,
  watch: ServerWatch,
  expected?: number,
): Promise<Stretch> {
  await watch.start()
  const cpu = cpuNanos()
  const started = performance.now()
  let sent = 0
  let admitted = 0
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const key = keys[sent++ % keys.length] as string
      if (opened.admits(await opened.ask(key))) admitted++
    }
  }
  await Promise.all(Array.from({ length: flight }, worker))
  const wall = performance.now() - started
  const client = (cpuNanos() - cpu) / 1000
  const server = await watch.stop()
  if (expected !== undefined && admitted !== Math.ceil(expected))
    throw new Error(`${admitted} of ${count} were admitted: it does other work than it should`)
  return {
    rate: (count / wall) * 1000,
    client: client / count,
    server: server.cpu / count,
    calls: server.calls / count,
    script: server.calls === 0 ? Number.NaN : server.script / server.calls,
  }
}

const [, , url = '', name = '', client = '', checks = '40000'] = process.argv
console.log(JSON.stringify(await main(url, name as RedisName, client as ClientName, Number(checks))))
