import 'reflect-metadata'
import { createRequire } from 'node:module'

import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis'
import type { ClientRateLimitInfo, Options } from 'express-rate-limit'
import { RedisStore as HonoStore } from 'hono-rate-limiter'
import type { Redis } from 'ioredis'
import { RedisStore as ExpressStore, type RedisReply } from 'rate-limit-redis'
import { type IRateLimiterRedisOptions, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

import { connect } from './clients.ts'
import type { RedisContestant } from './contestant.ts'
import type { FastifyStore, Hit } from './fastify.ts'

const load = createRequire(import.meta.url)

export const expressRedis: RedisContestant<ClientRateLimitInfo> = {
  name: 'rate-limit-redis (express-rate-limit)',
  answer: 'fixed window',
  clients: ['ioredis', 'node-redis'],
  async open(url, name, { limit, windowMs }) {
    const { send, close } = await connect(url, name)
    const store = new ExpressStore({ sendCommand: (...args: string[]) => send(args) as Promise<RedisReply> })
    await store.init({ windowMs } as Options)
    return { ask: key => store.increment(key), admits: info => info.totalHits <= limit, close }
  },
}

function flexible(
  name: string,
  options: Partial<IRateLimiterRedisOptions>,
): RedisContestant<RateLimiterRes | undefined> {
  return {
    name,
    answer: 'fixed window',
    clients: ['ioredis', 'node-redis'],
    async open(url, clientName, { limit, windowMs }) {
      const { client, close } = await connect(url, clientName)
      const limiter = new RateLimiterRedis({
        storeClient: client,
        useRedisPackage: clientName === 'node-redis',
        points: limit,
        duration: windowMs / 1000,
        ...options,
      })
      const refused = (reason: unknown): undefined => {
        if (!(reason instanceof RateLimiterRes)) throw reason
      }
      return {
        ask: key => limiter.consume(key).then(undefined, refused),
        admits: result => result !== undefined,
        close,
      }
    },
  }
}

export const flexibleRedis: RedisContestant<RateLimiterRes | undefined> = flexible(
  'rate-limiter-flexible',
  {},
)

/** With its block in memory, which remembers a refusal until the window ends. */
export const flexibleDenied: RedisContestant<RateLimiterRes | undefined> = {
  ...flexible('rate-limiter-flexible with inMemoryBlockOnConsumed, denied', { inMemoryBlockOnConsumed: 11 }),
  isAttacked: true,
}

export const fastifyRedis: RedisContestant<Hit> = {
  name: '@fastify/rate-limit',
  answer: 'fixed window',
  clients: ['ioredis'],
  async open(url, name, { limit, windowMs }) {
    const { client, close } = await connect(url, name)
    const RedisStore = load('@fastify/rate-limit/store/RedisStore.js') as new (
      continueExceeding: boolean,
      exponentialBackoff: boolean,
      redis: unknown,
    ) => FastifyStore
    const store = new RedisStore(false, false, client)
    return {
      ask: key =>
        new Promise((resolve, reject) => {
          store.incr(key, (error, hit) => (error === null ? resolve(hit) : reject(error)), windowMs, limit)
        }),
      admits: hit => hit.current <= limit,
      close,
    }
  },
}

type HonoInfo = Awaited<ReturnType<HonoStore['increment']>>

export const honoRedis: RedisContestant<HonoInfo> = {
  name: 'hono-rate-limiter',
  answer: 'fixed window',
  clients: ['ioredis'],
  async open(url, name, { limit, windowMs }) {
    const { client, close } = await connect(url, name)
    const redis = client as Redis
    const store = new HonoStore({
      client: {
        scriptLoad: script => redis.script('LOAD', script) as Promise<string>,
        evalsha: <TArgs extends unknown[], TData>(sha: string, keys: string[], args: TArgs) =>
          redis.evalsha(sha, keys.length, ...keys, ...(args as (string | number)[])) as Promise<TData>,
        decr: key => redis.decr(key),
        del: key => redis.del(key),
      },
    })
    store.init({ windowMs } as Parameters<HonoStore['init']>[0])
    return { ask: key => store.increment(key), admits: info => info.totalHits <= limit, close }
  },
}

type NestRecord = Awaited<ReturnType<ThrottlerStorageRedisService['increment']>>

export const nestRedis: RedisContestant<NestRecord> = {
  name: '@nest-lab/throttler-storage-redis',
  answer: 'fixed window',
  clients: ['ioredis'],
  async open(url, name, { limit, windowMs }) {
    const { client, close } = await connect(url, name)
    const storage = new ThrottlerStorageRedisService(client as Redis)
    return {
      ask: key => storage.increment(key, windowMs, limit, windowMs, 'default'),
      admits: record => !record.isBlocked,
      close,
    }
  },
}
