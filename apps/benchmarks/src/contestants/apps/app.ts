import type { Server } from 'node:http'

import type { Policy } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

/** The URL of the Redis for an app's counters; undefined for its own memory. */
type Place = string | undefined

/**
 * The handler of an app: it answers in the call of the framework, or after the `await` of a resolved promise. The second
 * continues at the same point as the code behind a body parser: in the same turn of the event loop, after Node has parsed the
 * end of the request.
 */
type Handler = 'at once' | 'awaits'

/** The identity that an app counts by: the address of the peer, or the value of a header. */
type CountedBy = 'address' | 'header'

/** The settings of an app. */
export interface Scene {
  readonly place: Place
  readonly handler: Handler
  readonly countedBy: CountedBy
  /** The requests that a client may send in the window. */
  readonly limit: number
}

/** Makes a server that answers `GET /` with `{"ok":true}` and does not listen yet. */
export type MakeServer = (scene: Scene) => Promise<Server>

/** Just enough that nobody is refused. So a counter is still alive when its next request comes, as in a service. */
export const ROOMY = 100_000
export const WINDOW_MS = 600_000
export const BODY = { ok: true }
/** The headers that every limiter sends at least. An app that only sets them shows the cost of the framework. */
export const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['RateLimit-Limit', '100000'],
  ['RateLimit-Remaining', '99999'],
  ['RateLimit-Reset', '1795539012'],
]

/** The promise that handlers of the kind `awaits` wait for. */
export const settled: Promise<void> = Promise.resolve()

/**
 * The options of Halt's adapters. All load comes from loopback addresses, so private addresses count. The deadline is
 * longer, so that a pause of the machine does not make Halt decide without Redis.
 */
export function haltOptions<R>(
  { place, countedBy, limit }: Scene,
  clientOf: (request: R) => string | undefined,
): {
  store: InMemoryStore | RedisStore
  policy: Policy<R>
  exemptPrivateIps: boolean
  storeTimeout: string
  warn?: () => void
} {
  const store = place === undefined ? new InMemoryStore() : new RedisStore({ client: new Redis(place) })
  const policy: Policy<R> = { name: 'api', limit, window: WINDOW_MS / 1000 }
  return {
    store,
    policy: countedBy === 'header' ? { ...policy, keyExtractor: clientOf } : policy,
    exemptPrivateIps: false,
    storeTimeout: '1s',
    // Halt would warn of keys that are never the same, because the warm-up names each client once.
    ...(countedBy === 'header' ? { warn: () => {} } : {}),
  }
}
