import { HaltError } from '@halt/core'

import { type Client, keyPrefixOf, recognise } from './client.ts'
import { IoredisClusterTransport } from './ioredis-cluster-transport.ts'
import { IoredisTransport } from './ioredis-transport.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { OwnConnection } from './own-connection.ts'
import { watchClient } from './client-watcher.ts'
import { RedisClusterTransport } from './redis-cluster-transport.ts'
import { type FindTemplate, RedisTransport } from './redis-transport.ts'
import { RunnerConnection } from './runner-connection.ts'
import { SharedConnection } from './shared-connection.ts'
import type { RedisClient, RedisPool, RedisSentinel } from './client-interfaces.ts'
import { ignore } from './timer.ts'
import type { LostListener, Transport } from './transport.ts'

/**
 * Makes the connection that the options ask for, and begins to connect.
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
    const given = client === undefined ? 'Neither client nor run is' : 'Both client and run are'
    throw new HaltError(
      'HALT_E_REDIS_CLIENT',
      `${given} given.`,
      'Give one of them: client, or run: (script, keys, args) => ….',
    )
  }
  if (run !== undefined) {
    if (typeof run === 'function') return new RunnerConnection(run)
    throw new HaltError(
      'HALT_E_REDIS_CLIENT',
      'run is not a function.',
      'Give run: (script, keys, args) => ….',
    )
  }
  const found = recognise(client)
  if (connection === 'shared')
    return new SharedConnection(found, watchClient(found, { ended: ignore, revived: reconnected, warn }))
  const own = new OwnConnection(
    found.topology,
    lost => makeTransport(found, lost, reconnected),
    reconnected,
    () => release(),
  )
  const release = watchClient(found, { ended: () => own.end(), revived: () => own.revive(), warn })
  return own
}

function makeTransport({ kind, client }: Client, lost: LostListener, reconnected: () => void): Transport {
  switch (kind) {
    case 'ioredis':
      return new IoredisTransport(client, lost)
    case 'ioredis-cluster':
      return new IoredisClusterTransport(client, lost, reconnected)
    case 'redis':
      return new RedisTransport(() => client, keyPrefixOf(client), lost)
    case 'redis-pool':
      return new RedisTransport(lentBy(client), keyPrefixOf(client), lost)
    case 'redis-sentinel':
      return new RedisTransport(masterOf(client), keyPrefixOf(client), lost)
    case 'redis-cluster':
      return new RedisClusterTransport(client, lost)
  }
}

// A pool and a Sentinel client have no duplicate(). The client that they lend has one, after they are connected.
function lentBy(pool: RedisPool): FindTemplate {
  let lent: RedisClient | undefined
  return async () => {
    // Without an idle client the pool would open one more.
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
