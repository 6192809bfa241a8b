import { connect } from './clients.ts'
import type { RedisContestant } from './contestant.ts'
import { haltDenied, haltFair, haltRedis, haltUsers } from './redis-halt.ts'
import {
  expressRedis,
  fastifyRedis,
  flexibleDenied,
  flexibleRedis,
  honoRedis,
  nestRedis,
} from './redis-peers.ts'

/** The yardstick: INCR, which limits nothing. */
const increment: RedisContestant<unknown> = {
  name: 'INCR alone',
  answer: 'fixed window',
  clients: ['ioredis', 'node-redis'],
  async open(url, name) {
    const { send, close } = await connect(url, name)
    return { ask: key => send(['INCR', `incr:${key}`]), admits: () => true, close }
  },
}

const SOURCE = `redis.call('TIME') redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000) return 1`

/** The least work of an exact script: read the clock, read a key, write it with an expiry. */
const bareScript: RedisContestant<unknown> = {
  name: 'a script of TIME, GET, SET PX',
  answer: 'fixed window',
  clients: ['ioredis', 'node-redis'],
  async open(url, name) {
    const { send, close } = await connect(url, name)
    const sha = String(await send(['SCRIPT', 'LOAD', SOURCE]))
    const value = 'v'.repeat(32)
    return { ask: key => send(['EVALSHA', sha, '1', `bare:${key}`, value]), admits: () => true, close }
  },
}

/** All contestants through Redis. */
export const redisContestants = {
  increment,
  bareScript,
  halt: haltRedis,
  haltUser: haltUsers(false),
  haltQuota: haltUsers(true),
  haltFair,
  haltDenied,
  flexibleDenied,
  express: expressRedis,
  flexible: flexibleRedis,
  fastify: fastifyRedis,
  hono: honoRedis,
  nest: nestRedis,
} satisfies Record<string, RedisContestant>

export type RedisName = keyof typeof redisContestants
export const redisPeers: readonly RedisName[] = ['express', 'flexible', 'fastify', 'hono', 'nest']
