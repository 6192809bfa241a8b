import { setTimeout as sleep } from 'node:timers/promises'

import { type Decision, QuotaPeriod, RateLimiter } from '@halt/core'
import type { Evaluation } from '@halt/core/store'
import { RedisStore } from '@halt/store-redis'

import { connect } from './clients.ts'
import type { RedisContestant } from './contestant.ts'
import { groupOf, ruleOf } from './halt.ts'

/** Waits until the store's own connection is open. Until then checks are decided locally. */
export async function openStore(client: object): Promise<RedisStore> {
  const store = new RedisStore({ client })
  const deadline = Date.now() + 5000
  for (;;) {
    try {
      await store.probe()
      return store
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(5)
    }
  }
}

/** The Redis store of Halt with one token bucket, called as the limiter calls it. */
export const haltRedis: RedisContestant<Evaluation> = {
  name: '@halt/store-redis',
  answer: 'token bucket',
  clients: ['ioredis', 'node-redis'],
  async open(url, name, task) {
    const { client, close } = await connect(url, name)
    const store = await openStore(client)
    const rule = ruleOf('token-bucket', task)
    return {
      ask: key => store.evaluate(groupOf(rule, `ip:${key}`)),
      admits: evaluation => evaluation.allowed,
      async close() {
        await store.close()
        close()
      },
    }
  },
}

/** The whole limiter for a user: a bucket alone, or with a monthly quota and a penalty. */
export function haltUsers(more: boolean): RedisContestant<Decision> {
  return {
    name: more ? 'limiter.consume, with quota and penalty' : 'limiter.consume',
    answer: 'token bucket',
    clients: ['ioredis', 'node-redis'],
    async open(url, name, { limit, windowMs }) {
      const { client, close } = await connect(url, name)
      const store = await openStore(client)
      const bucket = { name: 'api', limit, window: `${windowMs}ms`, keyStrategy: 'user' } as const
      const quota = { name: 'monthly', limit: 1_000_000, period: QuotaPeriod.MONTHLY }
      const limiter = more
        ? new RateLimiter({
            store,
            policy: [bucket, quota],
            penalty: { threshold: 10, duration: 3600, multiplier: 0.5, decayRate: 1 },
          })
        : new RateLimiter({ store, policy: bucket })
      return {
        ask: key => limiter.consume({ user: key }),
        admits: decision => decision.allowed && decision.degraded === false,
        async close() {
          await limiter.close()
          close()
        },
      }
    },
  }
}

/** The whole limiter for a limit that all users share fairly. */
export const haltFair: RedisContestant<Decision> = {
  name: 'limiter.consume, fair',
  answer: 'token bucket',
  clients: ['ioredis', 'node-redis'],
  async open(url, name, { limit, windowMs }) {
    const { client, close } = await connect(url, name)
    const limiter = new RateLimiter({
      store: await openStore(client),
      policy: {
        name: 'api',
        limit,
        window: `${windowMs}ms`,
        keyStrategy: 'shared',
        fair: { by: 'user' },
      },
    })
    return {
      ask: key => limiter.consume({ user: key }),
      admits: decision => decision.allowed && decision.degraded === false,
      async close() {
        await limiter.close()
        close()
      },
    }
  },
}

/** The whole limiter for addresses that are far above their limit. Refusals are remembered in this process for a second. */
export const haltDenied: RedisContestant<Decision> = {
  ...haltUsers(false),
  name: 'limiter.consume, denied',
  isAttacked: true,
}
