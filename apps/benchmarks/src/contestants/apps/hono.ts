import { once } from 'node:events'

import { halt } from '@halt/hono'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono, type MiddlewareHandler } from 'hono'
import { RedisStore, rateLimiter } from 'hono-rate-limiter'
import { Redis } from 'ioredis'

import { BODY, HEADERS, haltOptions, LIMIT, type Place, type StartApp, WINDOW_MS } from './app.ts'

const middlewares: Record<string, (place: Place) => MiddlewareHandler> = {
  bare: () => (_c, next) => next(),
  'three headers': () => (c, next) => {
    for (const [name, value] of HEADERS) c.header(name, value)
    return next()
  },
  halt: place => halt({ ...haltOptions(place), getConnInfo }),
  'hono-rate-limiter': place =>
    rateLimiter({
      limit: LIMIT,
      windowMs: WINDOW_MS,
      keyGenerator: c => getConnInfo(c).remote.address ?? 'unknown',
      ...(place === undefined ? {} : { store: redisStore(new Redis(place)) }),
    }),
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

export const names: readonly string[] = Object.keys(middlewares)

/** Starts a Hono app on Node with one of the middlewares. */
export function start(name: string): StartApp {
  return async (port, place) => {
    const app = new Hono()
    app.use((middlewares[name] as (place: Place) => MiddlewareHandler)(place))
    app.get('/', c => c.json(BODY))
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
    await once(server, 'listening')
  }
}
