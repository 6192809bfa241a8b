import { HaltError } from '@halt/core'

import type { Topology } from './connection.ts'
import type {
  Ioredis,
  IoredisCluster,
  RedisClient,
  RedisCluster,
  RedisPool,
  RedisSentinel,
} from './client-interfaces.ts'

/** A client of the user's, and its kind. */
export type Client =
  | { readonly kind: 'ioredis'; readonly client: Ioredis; readonly topology: Topology }
  | { readonly kind: 'ioredis-cluster'; readonly client: IoredisCluster; readonly topology: Topology }
  | { readonly kind: 'redis'; readonly client: RedisClient; readonly topology: Topology }
  | { readonly kind: 'redis-pool'; readonly client: RedisPool; readonly topology: Topology }
  | { readonly kind: 'redis-sentinel'; readonly client: RedisSentinel; readonly topology: Topology }
  | { readonly kind: 'redis-cluster'; readonly client: RedisCluster; readonly topology: Topology }

/**
 * Recognises a client of ioredis 5 or 6 or of node-redis 5 or 6 by its shape.
 *
 * @throws HaltError `HALT_E_REDIS_CLIENT`
 */
export function recognise(client: unknown): Client {
  if (can(client, 'defineCommand', 'evalsha', 'eval', 'call', 'duplicate'))
    return ioredis(client as Ioredis | IoredisCluster)
  if (can(client, 'evalSha', 'sendCommand')) {
    const found = redis(client)
    if (found !== undefined) return found
  }
  throw new HaltError(
    'HALT_E_REDIS_CLIENT',
    `${described(client)} is not a Redis client that Halt knows.`,
    fixFor(client),
  )
}

function ioredis(client: Ioredis | IoredisCluster): Client {
  if (client.isCluster) return { kind: 'ioredis-cluster', client, topology: 'cluster' }
  return { kind: 'ioredis', client, topology: client.options['sentinels'] ? 'sentinel' : 'single' }
}

function redis(client: object): Client | undefined {
  if (can(client, 'nodeClient', 'duplicate') && 'masters' in client)
    return { kind: 'redis-cluster', client: client as RedisCluster, topology: 'cluster' }
  if (can(client, 'getMasterNode', '_execute'))
    return { kind: 'redis-sentinel', client: client as RedisSentinel, topology: 'sentinel' }
  if (can(client, 'execute') && 'idleClients' in client)
    return { kind: 'redis-pool', client: client as RedisPool, topology: 'single' }
  if (can(client, 'duplicate', 'connect', 'destroy', 'unref'))
    return { kind: 'redis', client: client as RedisClient, topology: 'single' }
  return undefined
}

/** The key prefix of a client. node-redis has one since 6.1, but its sendCommand does not add it. */
export function keyPrefixOf(client: object): string {
  const { _keyPrefix, options } = client as { _keyPrefix?: Prefix; options?: { keyPrefix?: Prefix } }
  return (_keyPrefix ?? options?.keyPrefix ?? '').toString()
}

type Prefix = string | { toString(): string } | null

function can(client: unknown, ...methods: string[]): client is object {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return false
  return methods.every(name => typeof (client as Record<string, unknown>)[name] === 'function')
}

// Names the type and never the content, because a URL holds a password.
function described(client: unknown): string {
  if (client === undefined || client === null) return String(client)
  if (typeof client !== 'object') return `A ${typeof client}`
  const { constructor } = client as { constructor?: { name?: string } }
  return `A value of class ${constructor?.name ?? 'null'}`
}

function fixFor(client: unknown): string {
  if (can(client, 'then')) return 'It is a promise: give the client that it resolves to (await it first).'
  if (can(client, 'evalsha') || can(client, 'invokeScript') || can(client, 'send')) {
    return 'Give run: (script, keys, args) => …, which runs a script with your client.'
  }
  if (typeof client === 'string')
    return 'Give a client made from the address: new Redis(url) or createClient({ url }).'
  return 'Give a client of ioredis 5 or 6 or of redis 5 or 6, or run: (script, keys, args) => ….'
}
