import { HaltError } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import type { Redis } from 'ioredis'

import { checkPrefix } from '../command/usage.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'
import { loadDriver, messageOf, PATIENCE_MS } from './driver.ts'
import type { StoreAddress } from './store-address.ts'

/** The prefix of a `RedisStore` that is given none. */
const DEFAULT_PREFIX = 'halt:'

/** A connection to Redis, the store on it, and what is looked at. */
export interface OpenRedis {
  readonly client: Redis
  readonly store: RedisStore
  readonly address: () => Promise<StoreAddress>
}

/**
 * Connects to Redis, calls `use`, and closes the connection.
 *
 * @throws HaltError `HALT_E_REDIS_CLIENT` without ioredis; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withRedis<T>(
  address: string,
  prefix: string = DEFAULT_PREFIX,
  io: CliIo,
  use: (redis: OpenRedis) => Promise<T>,
): Promise<T> {
  const url = readUrl(address)
  checkPrefix(() => new RedisStore({ run: () => Promise.resolve(), prefix }))
  const client = await connect(url, io)
  const store = new RedisStore({ client, prefix, warn: () => {} })
  try {
    return await use({ client, store, address: () => addressOf(url, prefix, client, store) })
  } catch (error) {
    throw isElsewhere(error) ? onCluster(url, error) : error
  } finally {
    await store.close()
    client.disconnect()
  }
}

async function addressOf(url: URL, prefix: string, client: Redis, store: RedisStore): Promise<StoreAddress> {
  const told = (count: Promise<number>): Promise<number | undefined> =>
    count.catch((error: unknown) => {
      if (isElsewhere(error)) throw error
      // A user of few permissions may not count.
      return undefined
    })
  const [processes, obeying] = await Promise.all([told(store.processes()), told(store.obeyingProcesses())])
  const name = url.protocol.startsWith('valkey') ? 'Valkey' : 'Redis'
  const server = `${name} ${url.host || 'localhost'}, database ${url.pathname.slice(1) || '0'}`
  const elsewhere = processes === 0 ? await otherPrefixes(client).catch(() => []) : []
  return { server, name: prefix, processes, obeying, elsewhere }
}

/** How often Redis is asked for a part of its keys, a thousand at a time. */
const MOST_SCANS = 100

/** The prefixes under which processes have sent heartbeats, as far as a short search finds them. */
async function otherPrefixes(client: Redis): Promise<string[]> {
  const found = new Set<string>()
  let cursor = '0'
  for (let i = 0; i < MOST_SCANS; i++) {
    const [next, keys] = await client.scan(cursor, 'MATCH', '*{*instances}:z', 'COUNT', 1000)
    for (const key of keys) {
      const [, prefix] = /^([^{]*)\{\1instances\}:z$/.exec(key) ?? []
      if (prefix !== undefined) found.add(prefix)
    }
    cursor = next
    if (cursor === '0') break
  }
  return [...found]
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // The path is the number of a database. Any other one would fail later, at SELECT.
  if (url !== undefined && /^(rediss?|valkeys?):$/.test(url.protocol) && /^\/?\d*$/.test(url.pathname))
    return url
  // The address may hold a password, so the message does not repeat it.
  throw commandError(
    '--redis is not an address of Redis.',
    'Write redis://host:6379, rediss://user:password@host:6380/0, or valkey://….',
  )
}

/** Whether a node of a Cluster has answered that another node has the key. */
function isElsewhere(error: unknown): boolean {
  return /\bMOVED \d+ /.test(String((error as Error | undefined)?.message))
}

/** Half of the commands would work on such a node, and the others would find nothing. */
function onCluster({ host }: URL, cause: unknown): HaltError {
  return new HaltError(
    'HALT_E_STORE',
    `Redis at ${host} is one node of a Cluster, and other nodes have a part of the keys.`,
    "Use the operator's page, or call Control from a script with the cluster client of your application.",
    { cause },
  )
}

type Ioredis = { readonly Redis: new (url: string, options: object) => Redis }

async function connect(url: URL, io: CliIo): Promise<Redis> {
  const ioredis = await loadDriver<Ioredis>('ioredis', io).catch((cause: unknown) => {
    throw new HaltError(
      'HALT_E_REDIS_CLIENT',
      'ioredis is not installed, and --redis needs it.',
      'Install it in this folder: npm install ioredis.',
      { cause },
    )
  })
  const client = new ioredis.Redis(url.href.replace(/^valkey/, 'redis'), {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    retryStrategy: () => null,
  })
  let reason: unknown
  client.on('error', (error: unknown) => (reason = error))
  // A server that hangs accepts the connection, and does not answer whether it is ready.
  const late = setTimeout(() => {
    reason = new Error(`no answer within ${PATIENCE_MS / 1000} s`)
    client.disconnect()
  }, PATIENCE_MS)
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    throw unreachable(url, reason ?? error)
  } finally {
    clearTimeout(late)
  }
}

function unreachable({ host }: URL, cause: unknown): HaltError {
  return new HaltError(
    'HALT_E_STORE_UNAVAILABLE',
    `Redis at ${host} does not answer: ${messageOf(cause)}.`,
    'Check the address, the password, and that this machine may connect.',
    { cause },
  )
}
