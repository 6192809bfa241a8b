import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

/** The URL of the Redis for an app's counters; undefined for its own memory. */
export type Place = string | undefined

/** An app that listens on a port of the loopback and answers `GET /` with `{"ok":true}`. */
export type StartApp = (port: number, place: Place) => Promise<void>

/** Just enough that nobody is refused. So a counter is still alive when its next request comes, as in a service. */
export const LIMIT = 100_000
export const WINDOW_MS = 600_000
export const BODY = { ok: true }
/** The headers that every limiter sends at least. An app that only sets them shows the cost of the framework. */
export const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['RateLimit-Limit', '100000'],
  ['RateLimit-Remaining', '99999'],
  ['RateLimit-Reset', '1795539012'],
]

/**
 * The options of Halt's adapters. All load comes from loopback addresses, so private addresses count. The deadline is
 * longer, so that a pause of the machine does not make Halt decide without Redis.
 */
export function haltOptions(place: Place): {
  store: InMemoryStore | RedisStore
  policy: { name: string; limit: number; window: number }
  exemptPrivateIps: boolean
  storeTimeout: string
} {
  const store = place === undefined ? new InMemoryStore() : new RedisStore({ client: new Redis(place) })
  return {
    store,
    policy: { name: 'api', limit: LIMIT, window: WINDOW_MS / 1000 },
    exemptPrivateIps: false,
    storeTimeout: '1s',
  }
}
