import type { Store } from '@halt/core/store'
import { PostgresStore } from '@halt/store-postgres'
import { RedisStore } from '@halt/store-redis'

import { openApplication } from '../application.ts'
import { type Place, postgresPlace, redisPlace } from '../place.ts'
import { openPool } from '../postgres/application.ts'

// A busy machine is not a failure of the store.
const PATIENCE_MS = 20_000

/** A store, and the end of the client that it was given. */
export interface OpenedStore {
  readonly store: Store
  end(): unknown
}

/** Opens a store as an application does. */
export function openStore(place: Place, port: number): OpenedStore {
  if (place.server === 'postgres') {
    const pool = openPool(postgresPlace(place).client, port, PATIENCE_MS)
    return { store: new PostgresStore({ query: pool.query }), end: () => pool.kill() }
  }
  const { client, server } = redisPlace(place)
  const application = openApplication(client, server, port)
  return { store: new RedisStore({ client: application.client }), end: () => application.kill() }
}
