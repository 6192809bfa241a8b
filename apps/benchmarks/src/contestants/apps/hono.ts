import type { Server } from 'node:http'

import { halt } from '@halt/hono'
import { createAdaptorServer } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { RedisStore, rateLimiter } from 'hono-rate-limiter'
import { Redis } from 'ioredis'

import { CLIENT_HEADER } from '../../request.ts'
import { BODY, HEADERS, haltOptions, type MakeServer, type Scene, settled, WINDOW_MS } from './app.ts'

const middlewares: Record<string, (scene: Scene) => MiddlewareHandler> = {
  bare: () => (_c, next) => next(),
  'three headers': () => (c, next) => {
    for (const [name, value] of HEADERS) c.header(name, value)
    return next()
  },
  halt: scene => halt({ ...haltOptions(scene, clientOf), getConnInfo }),
  'hono-rate-limiter': ({ place, countedBy, limit }) => {
    const keyOf =
      countedBy === 'header' ? clientOf : (c: Context): string | undefined => getConnInfo(c).remote.address
    return rateLimiter({
      limit,
      windowMs: WINDOW_MS,
      keyGenerator: c => keyOf(c) ?? 'unknown',
      ...(place === undefined ? {} : { store: redisStore(new Redis(place)) }),
    })
  },
}

function clientOf(c: Context): string | undefined {
  return c.req.header(CLIENT_HEADER)
}

function redisStore(redis: Redis): RedisStore {
  return new RedisStore({
    client: {
      scriptLoad: script => redis.script('LOAD', script) as Promise<string>,
      evalsha: <TArgs extends unknown[], TData>(sha: string, keys: string[], args: TArgs) =>
        redis.evalsha(sha, keys.length, ...keys, ...(args as (string | number)[])) as Promise<TData>,
      decr: key => redis.decr(key),
      del: key => redis.del(key),
    },
  })
}

const handlers: Record<Scene['handler'], Handler> = {
  'at once': c => c.json(BODY),
  awaits: async c => {
    await settled
    return c.json(BODY)
  },
}

/** Makes the server of a Hono app on Node with one of the middlewares. */
export function make(name: string): MakeServer {
  return async scene => {
    const app = new Hono()
    app.use((middlewares[name] as (scene: Scene) => MiddlewareHandler)(scene))
    app.get('/', handlers[scene.handler])
    return createAdaptorServer({ fetch: app.fetch }) as Server
  }
}
