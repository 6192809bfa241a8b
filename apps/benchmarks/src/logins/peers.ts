import { rateLimit } from 'express-rate-limit'
import type { RequestHandler } from 'express'
import { Redis } from 'ioredis'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'

import { type Guarded, LIMIT, type LoginContestant, type Place, WINDOW_MS } from './contestant.ts'

/** express-rate-limit with its own option for this. */
export const skipSuccessful: LoginContestant = {
  name: 'express-rate-limit',
  way: 'skipSuccessfulRequests',
  guard(place, login) {
    const client = connect(place)
    const sendCommand = (command: string, ...args: string[]): Promise<RedisReply> =>
      client?.call(command, ...args) as Promise<RedisReply>
    const limiter = rateLimit({
      limit: LIMIT,
      windowMs: WINDOW_MS,
      skipSuccessfulRequests: true,
      ...(client && { store: new RedisStore({ sendCommand }) }),
    })
    return guarded([limiter, login], client)
  },
}

/** rate-limiter-flexible as in its guide to logins: get, check the password, consume for a wrong one. */
export const peekThenConsume: LoginContestant = {
  name: 'rate-limiter-flexible',
  way: 'get, then consume when bad',
  guard(place, login) {
    const client = connect(place)
    const limiter = flexible(client)
    const look: RequestHandler = async (req, res, next) => {
      const key = req.ip ?? ''
      const found = await limiter.get(key)
      if (found !== null && found.consumedPoints >= LIMIT) return void res.status(429).end()
      // Over the limit it rejects. The next `get` sees that.
      res.once('finish', () => res.statusCode === 401 && void limiter.consume(key).catch(() => {}))
      next()
    }
    return guarded([look, login], client)
  },
}

/** rate-limiter-flexible the other way: consume, check the password, reward for a good one. */
export const consumeThenReward: LoginContestant = {
  name: 'rate-limiter-flexible',
  way: 'consume, then reward when good',
  guard(place, login) {
    const client = connect(place)
    const limiter = flexible(client)
    const count: RequestHandler = async (req, res, next) => {
      const key = req.ip ?? ''
      try {
        await limiter.consume(key)
      } catch (reason) {
        if (reason instanceof RateLimiterRes) return void res.status(429).end()
        throw reason
      }
      res.once('finish', () => res.statusCode === 200 && void limiter.reward(key))
      next()
    }
    return guarded([count, login], client)
  },
}

function flexible(storeClient: Redis | undefined): RateLimiterAbstract {
  const options = { points: LIMIT, duration: WINDOW_MS / 1000 }
  return storeClient === undefined
    ? new RateLimiterMemory(options)
    : new RateLimiterRedis({ ...options, storeClient })
}

function connect(place: Place): Redis | undefined {
  return place === undefined ? undefined : new Redis(place)
}

function guarded(handlers: readonly RequestHandler[], client: Redis | undefined): Guarded {
  return { handlers, ready: async () => client?.ping(), close: () => client?.disconnect() }
}
