// How long a check waits for a Redis that has stopped answering: Halt, and two peers that set no deadline.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import { redisContestants, type RedisName } from '../contestants/redis.ts'
import { cpuNanos } from '../cpu.ts'

/** The results, in milliseconds. */
export interface HungRun {
  /** The longest of twenty checks of Halt, one after the other. */
  readonly longest: number
  /**
   * By how much a check took longer than a bare timer of 100 ms that was set with it, at most, without the CPU time of this process:
   * the first check after the failure also loads the code that decides without a store, and prints a warning.
   */
  readonly late: number
  /** The peers that still waited after a second. */
  readonly waiting: readonly RedisName[]
}

const CHECKS = 20
const PEERS: readonly RedisName[] = ['express', 'fastify']

async function main(url: string): Promise<HungRun> {
  const client = new Redis(url)
  const limiter = new RateLimiter({
    store: new RedisStore({ client }),
    policy: { name: 'api', limit: 1_000_000, window: 60 },
  })
  await limiter.consume({ custom: 'a' })
  const task = { limit: 1_000_000, windowMs: 60_000 }
  const peers = await Promise.all(PEERS.map(name => redisContestants[name].open(url, 'ioredis', task)))
  for (const peer of peers) await peer.ask('a')

  const operator = new Redis(url)
  await operator.call('CLIENT', 'PAUSE', '5000', 'ALL')
  const times: number[] = []
  const late: number[] = []
  for (let i = 0; i < CHECKS; i++) {
    const began = performance.now()
    const cpu = cpuNanos()
    const [[taken, worked], bare] = await Promise.all([
      limiter
        .consume({ custom: 'a' })
        .then(() => [performance.now() - began, (cpuNanos() - cpu) / 1e6] as const),
      sleep(100).then(() => performance.now() - began),
    ])
    times.push(taken)
    late.push(taken - bare - worked)
  }
  const waiting = await Promise.all(
    peers.map((peer, i) =>
      Promise.race([
        Promise.resolve(peer.ask('a')).then(
          () => [],
          () => [],
        ),
        sleep(1000).then(() => PEERS.slice(i, i + 1)),
      ]),
    ),
  )
  return { longest: Math.max(...times), late: Math.max(...late), waiting: waiting.flat() }
}

console.log(JSON.stringify(await main(process.argv[2] ?? '')))
// Nothing that still waits is to keep the process.
process.exit()
