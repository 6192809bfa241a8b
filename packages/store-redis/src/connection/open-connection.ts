import { HaltError } from '@halt/core'
import type { RedisClient, RedisPool, RedisSentinel } from './client-interfaces.ts'
import { watchClient } from './client-watcher.ts'
import { type Client, keyPrefixOf, recognise } from './client.ts'
import type { Connection, Run, Script, Topology, ConnectionOptions } from './connection.ts'
import { IoredisClusterTransport } from './ioredis-cluster-transport.ts'
import { IoredisTransport } from './ioredis-transport.ts'
import { OwnConnection } from './own-connection.ts'
import { RedisClusterTransport } from './redis-cluster-transport.ts'
import { type FindTemplate, RedisTransport } from './redis-transport.ts'
import { promiseTry } from './script-run.ts'
import { SharedConnection } from './shared-connection.ts'
import { toStoreError } from './store-error.ts'
import { ignore } from './timer.ts'
import type { LostListener, Transport } from './transport.ts'

/** A connection over the user's `run` function. It runs scripts only, so other commands are sent inside a small script. */
class RunnerConnection implements Connection {
  readonly topology: Topology = 'unknown'
  readonly ready: boolean = true
  readonly opened: Promise<void> = Promise.resolve()
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await promiseTry(() => this.#run(script, keys, args))
    } catch (error) {
      throw toStoreError(error)
    }
  }

  command([name = '', ...args]: readonly string[], key?: string): Promise<unknown> {
    // The key is passed in KEYS, because the runner may put a prefix before it there.
    const isKeyed = key !== undefined && args[0] === key
    const rest = isKeyed ? args.slice(1) : args
    return this.run(CALL, key === undefined ? [] : [key], [isKeyed ? '1' : '0', name, ...rest])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const CALL: Script = {
  sha: '61068c78a6c8d7c90247aefaee7758ad01e2518e',
  source: `local call = { ARGV[2] }
if ARGV[1] == '1' then call[2] = KEYS[1] end
for i = 3, #ARGV do call[#call + 1] = ARGV[i] end
return redis.call(unpack(call))`,
}

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

/** The options of a client of one server: of ioredis, or, with `socket` and `database`, of node-redis. */
interface ServerOptions {
  readonly host?: string | undefined
  readonly port?: number | string | undefined
  readonly path?: string | null | undefined
  readonly db?: number | undefined
  readonly database?: number | undefined
  readonly socket?: Pick<ServerOptions, 'host' | 'port' | 'path'>
}

/** Where a store has its keys: the kind, the start of every key, and the server if the client tells it. */
export function placeOf(prefix: string, client: object | undefined): readonly unknown[] {
  if (client === undefined) return ['redis', prefix]
  return ['redis', `${keyPrefixOf(client)}${prefix}`, serverOf(client)]
}

/** The server and the database of a client. Undefined where several servers may have the keys, because a client may list them in any order. */
function serverOf(client: object): string | undefined {
  const { kind, topology } = recognise(client)
  const { options } = client as { readonly options?: ServerOptions }
  if (topology !== 'single' || kind === 'redis-pool' || options === undefined) return undefined
  const { host = 'localhost', port = 6379, path } = options.socket ?? options
  const isLocal = host === '127.0.0.1' || host === '::1'
  const server = path || `${isLocal ? 'localhost' : host}:${port}`
  return `${server}/${options.db ?? options.database ?? 0}`
}
