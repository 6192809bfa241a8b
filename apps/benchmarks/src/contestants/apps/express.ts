import { createServer } from 'node:http'

import { halt } from '@halt/express'
import express, { type Request, type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { Redis } from 'ioredis'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

import { CLIENT_HEADER } from '../../request.ts'
import { BODY, HEADERS, haltOptions, type MakeServer, type Scene, settled, WINDOW_MS } from './app.ts'

const middlewares: Record<string, (scene: Scene) => RequestHandler> = {
  bare: () => (_req, _res, next) => next(),
  'three headers': () => (_req, res, next) => {
    for (const [name, value] of HEADERS) res.setHeader(name, value)
    next()
  },
  'late next': () => (_req, _res, next) => void settled.then(() => next()),
  halt: scene => halt(haltOptions(scene, clientOf)),
  'express-rate-limit': ({ place, countedBy, limit }) => {
    const common = {
      limit,
      windowMs: WINDOW_MS,
      standardHeaders: 'draft-6',
      legacyHeaders: false,
      ...(countedBy === 'header' ? { keyGenerator: (req: Request) => clientOf(req) ?? 'unknown' } : {}),
    } as const
    if (place === undefined) return rateLimit(common)
    const client = new Redis(place)
    const sendCommand = (command: string, ...args: string[]): Promise<RedisReply> =>
      client.call(command, ...args) as Promise<RedisReply>
    return rateLimit({ ...common, store: new RedisStore({ sendCommand }) })
  },
  'rate-limiter-flexible': scene => flexible(scene),
}

function clientOf(req: Request): string | undefined {
  return req.headers[CLIENT_HEADER] as string | undefined
}

// The middleware and the headers of its guide.
function flexible({ place, countedBy, limit }: Scene): RequestHandler {
  const options = { points: limit, duration: WINDOW_MS / 1000 }
  const limiter =
    place === undefined
      ? new RateLimiterMemory(options)
      : new RateLimiterRedis({ ...options, storeClient: new Redis(place) })
  const keyOf = countedBy === 'header' ? clientOf : (req: Request): string | undefined => req.ip
  return (req, res, next) => {
    limiter.consume(keyOf(req) ?? 'unknown').then(
      result => {
        res.set({
          'X-RateLimit-Limit': String(limit),
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

const handlers: Record<Scene['handler'], RequestHandler> = {
  'at once': (_req, res) => void res.json(BODY),
  awaits: async (_req, res) => {
    await settled
    res.json(BODY)
  },
}

/** Makes the server of an Express app with one of the middlewares. */
export function make(name: string): MakeServer {
  return async scene => {
    const app = express()
    app.use((middlewares[name] as (scene: Scene) => RequestHandler)(scene))
    app.get('/', handlers[scene.handler])
    return createServer(app)
  }
}
