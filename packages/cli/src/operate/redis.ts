import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HaltError } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import type { Redis } from 'ioredis'

import { type Call, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'

/** The options of every command that asks Redis. */
export const redisFlags: Readonly<Record<string, Flag>> = {
  redis: {
    value: 'url',
    help: 'The Redis of the limiters: redis://…, rediss://…. Default: $HALT_REDIS_URL.',
  },
  prefix: { value: 'text', help: 'The prefix of the store. Default "halt:".' },
}

/** The longest time that the first connection may take, in milliseconds. */
const CONNECT_MS = 5_000

/** A connection to Redis, and the store on it. */
export interface OpenRedis {
  readonly client: Redis
  readonly store: RedisStore
}

/**
 * Connects to the Redis of a command, calls `use`, and closes the connection.
 *
 * @throws HaltError `HALT_E_COMMAND` without an address; `HALT_E_REDIS_CLIENT` without ioredis; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withRedis<T>(call: Call, io: CliIo, use: (redis: OpenRedis) => Promise<T>): Promise<T> {
  const url = valueOf(call, 'redis') ?? io.env['HALT_REDIS_URL']
  if (url === undefined || url === '')
    throw commandError(
      'There is no address of Redis.',
      'Give --redis redis://localhost:6379, or set HALT_REDIS_URL.',
    )
  const client = await connect(readUrl(url), await loadIoredis(io.cwd))
  const store = new RedisStore({ client, prefix: valueOf(call, 'prefix'), warn: () => {} })
  try {
    return await use({ client, store })
  } finally {
    await store.close()
    client.disconnect()
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^(rediss?|valkeys?):$/.test(url.protocol)) return url
  // The address may hold a password, so the message does not repeat it.
  throw commandError(
    '--redis is not an address of Redis.',
    'Write redis://host:6379, rediss://user:password@host:6380/0, or valkey://….',
  )
}

type RedisClass = new (url: string, options: object) => Redis

async function connect(url: URL, Client: RedisClass): Promise<Redis> {
  const address = url.href.replace(/^valkey/, 'redis')
  const client = new Client(address, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    retryStrategy: () => null,
  })
  let reason: unknown
  client.on('error', (error: unknown) => (reason = error))
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    throw unreachable(url, reason ?? error)
  }
}

function unreachable({ host }: URL, cause: unknown): HaltError {
  const text =
    cause instanceof AggregateError
      ? String(cause.errors[0])
      : cause instanceof Error
        ? cause.message
        : String(cause)
  return new HaltError(
    'HALT_E_STORE_UNAVAILABLE',
    `Redis at ${host} does not answer: ${text.replace(/^Error: /, '')}.`,
    'Check the address, the password, and that this machine may connect.',
    { cause },
  )
}

/** Loads ioredis: as a package beside this one, or as one of the folder in which the command runs. */
async function loadIoredis(cwd: string): Promise<RedisClass> {
  const load = async (from: string): Promise<RedisClass> =>
    ((await import(from)) as { Redis: RedisClass }).Redis
  try {
    return await load('ioredis')
  } catch {
    try {
      return await load(pathToFileURL(createRequire(join(cwd, 'halt.js')).resolve('ioredis')).href)
    } catch (cause) {
      throw new HaltError(
        'HALT_E_REDIS_CLIENT',
        'ioredis is not installed, and --redis needs it.',
        'Install it in this folder: npm install ioredis.',
        { cause },
      )
    }
  }
}
