import { once } from 'node:events'

import { halt } from '@halt/express'
import express, { type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { Redis } from 'ioredis'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

import { BODY, HEADERS, haltOptions, LIMIT, type Place, type StartApp, WINDOW_MS } from './app.ts'

const middlewares: Record<string, (place: Place) => RequestHandler> = {
  bare: () => (_req, _res, next) => next(),
  'three headers': () => (_req, res, next) => {
    for (const [name, value] of HEADERS) res.setHeader(name, value)
    next()
  },
  halt: place => halt(haltOptions(place)),
  'express-rate-limit': place => {
    const common = {
      limit: LIMIT,
      windowMs: WINDOW_MS,
      standardHeaders: 'draft-6',
      legacyHeaders: false,
    } as const
    if (place === undefined) return rateLimit(common)
    const client = new Redis(place)
    const sendCommand = (command: string, ...args: string[]): Promise<RedisReply> =>
      client.call(command, ...args) as Promise<RedisReply>
    return rateLimit({ ...common, store: new RedisStore({ sendCommand }) })
  },
  'rate-limiter-flexible': place => flexible(place),
}

// The middleware and the headers of its guide.
function flexible(place: Place): RequestHandler {
  const options = { points: LIMIT, duration: WINDOW_MS / 1000 }
  const limiter =
    place === undefined
      ? new RateLimiterMemory(options)
      : new RateLimiterRedis({ ...options, storeClient: new Redis(place) })
  return (req, res, next) => {
    limiter.consume(req.ip ?? 'unknown').then(
      result => {
        res.set({
          'X-RateLimit-Limit': String(LIMIT),
          'X-RateLimit-Remaining': String(result.remainingPoints),
          'X-RateLimit-Reset': String(Math.ceil((Date.now() + result.msBeforeNext) / 1000)),
        })
        next()
      },
      (reason: unknown) => {
        if (!(reason instanceof RateLimiterRes)) return next(reason)
        res.status(429).send('Too Many Requests')
      },
    )
  }
}

export const names: readonly string[] = Object.keys(middlewares)

/** Starts an Express app with one of the middlewares. */
export function start(name: string): StartApp {
  return async (port, place) => {
    const app = express()
    app.use((middlewares[name] as (place: Place) => RequestHandler)(place))
    app.get('/', (_req, res) => void res.json(BODY))
    await once(app.listen(port, '127.0.0.1'), 'listening')
  }
}
