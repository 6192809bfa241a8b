import { HaltError } from '@halt/core'

import { type Client, keyPrefixOf, recognise } from './client.ts'
import { IoredisClusterWire } from './ioredis-cluster-wire.ts'
import { IoredisWire } from './ioredis-wire.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { OwnConnection } from './own-connection.ts'
import { watch } from './owner.ts'
import { RedisClusterWire } from './redis-cluster-wire.ts'
import { type FindTemplate, RedisWire } from './redis-wire.ts'
import { RunnerConnection } from './runner-connection.ts'
import { SharedConnection } from './shared-connection.ts'
import type { RedisClient, RedisPool, RedisSentinel } from './shapes.ts'
import { ignore } from './timer.ts'
import type { Lost, Wire } from './wire.ts'

export type { Connection, ConnectionOptions, Run, Script } from './connection.ts'
export { inDoubt, StoreError, toStoreError } from './store-error.ts'

/**
 * Makes a link, and begins to connect.
 *
 * @throws HaltError `HALT_E_REDIS_CLIENT`
 */
export function openConnection({
  client,
  run,
  connection,
  warn,
  reconnected = ignore,
}: ConnectionOptions): Connection {
  if ((client === undefined) === (run === undefined)) {
    const what = client === undefined ? 'Neither client nor run is' : 'Both client and run are'
    throw new HaltError(
      'HALT_E_REDIS_CLIENT',
      `${what} given.`,
      'Give one: client, or run: (script, keys, args) => ….',
    )
  }
  if (run !== undefined) {
    if (typeof run === 'function') return new RunnerConnection(run)
    throw new HaltError('HALT_E_REDIS_CLIENT', 'run is no function.', 'Give run: (script, keys, args) => ….')
  }
  const found = recognise(client)
  if (connection === 'shared')
    return new SharedConnection(found, watch(found, { ended: ignore, revived: reconnected, warn }))
  const own = new OwnConnection(
    found.topology,
    lost => makeWire(found, lost, reconnected),
    reconnected,
    () => release(),
  )
  const release = watch(found, { ended: () => own.end(), revived: () => own.revive(), warn })
  return own
}

function makeWire({ kind, client }: Client, lost: Lost, reconnected: () => void): Wire {
  switch (kind) {
    case 'ioredis':
      return new IoredisWire(client, lost)
    case 'ioredis-cluster':
      return new IoredisClusterWire(client, lost, reconnected)
    case 'redis':
      return new RedisWire(() => client, keyPrefixOf(client), lost)
    case 'redis-pool':
      return new RedisWire(lentBy(client), keyPrefixOf(client), lost)
    case 'redis-sentinel':
      return new RedisWire(masterOf(client), keyPrefixOf(client), lost)
    case 'redis-cluster':
      return new RedisClusterWire(client, lost)
  }
}

// A pool and a Sentinel client have no duplicate(); what they lend has, once they are connected.
function lentBy(pool: RedisPool): FindTemplate {
  let lent: RedisClient | undefined
  return async () => {
    // Without an idle one it would open another for us.
    if (lent === undefined && pool.idleClients > 0) lent = await pool.execute(client => client)
    return lent ?? notConnected()
  }
}

function masterOf(sentinel: RedisSentinel): FindTemplate {
  return async () =>
    sentinel.isOpen ? sentinel._execute(false, client => Promise.resolve(client)) : notConnected()
}

function notConnected(): never {
  throw new Error('The Redis client is not connected')
}
