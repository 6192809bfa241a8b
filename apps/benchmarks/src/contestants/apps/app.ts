import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

/** Where an app counts: in its own memory, or in the Redis of this URL. */
export type Place = string | undefined

/** An app that listens on a port of the loopback and answers `GET /` with `{"ok":true}`. */
export type StartApp = (port: number, place: Place) => Promise<void>

/** Enough that nobody is refused, and no more: a counter is still alive when its next request comes, as in a service. */
export const LIMIT = 100_000
export const WINDOW_MS = 600_000
export const BODY = { ok: true }
/** What every limiter says at least: what it costs to set them alone is what the framework takes. */
export const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['RateLimit-Limit', '100000'],
  ['RateLimit-Remaining', '99999'],
  ['RateLimit-Reset', '1795539012'],
]

/**
 * The options of Halt's adapters. All load comes from the loopback, so private addresses count; a longer patience, so
 * that a pause of the machine is not answered without Redis.
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
