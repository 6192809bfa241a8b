import { HaltError, type Warn } from '@halt/core'

import type { Run } from './connection/index.ts'

/** The server of a {@link RedisStore}: a client, or a function. */
export type RedisConnection =
  | {
      /** An ioredis or node-redis client: single, pool, Cluster or Sentinel. The store never changes it. */
      readonly client: object
      readonly run?: undefined
    }
  | {
      /** Runs a script with any other client, or by REST: `upstash(url, token)`. */
      readonly run: Run
      readonly client?: undefined
    }

/** Options of {@link RedisStore}. Exactly one of `client` and `run` is required. */
export type RedisStoreOptions = RedisConnection & RedisStoreSettings

/** The options of {@link RedisStore} that may be left out. */
export interface RedisStoreSettings {
  /** The start of every key. Default `"halt:"`. */
  readonly prefix?: string | undefined
  /** The clock that decides: the server's, this process's, or a function of Unix milliseconds. Default `"server"`. */
  readonly clock?: 'server' | 'client' | (() => number) | undefined
  /** `"own"`: the store opens a connection by `client.duplicate()`. `"shared"`: it uses the client. Default `"own"`. */
  readonly connection?: 'own' | 'shared' | undefined
  /** On a Cluster: one hash slot per subject, or one for all keys. Default `"per-subject"`. */
  readonly slots?: 'per-subject' | 'one' | undefined
  /** Called once per warning code. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const CHOICES = {
  connection: ['own', 'shared'],
  slots: ['per-subject', 'one'],
} as const
const KNOWN = ['client', 'run', 'prefix', 'clock', 'connection', 'slots', 'warn']

/**
 * Checks the options.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 */
export function checkOptions(options: RedisStoreOptions): void {
  const fields = (options ?? {}) as unknown as Record<string, unknown>
  if (typeof options !== 'object' || options === null || typeof fields['duplicate'] === 'function')
    fail('RedisStore got no options.', 'Give new RedisStore({ client }).')
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined) fail(`RedisStore has no option "${unknown}".`, fixFor(unknown))
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = fields[name]
    if (value === undefined || (choices as readonly unknown[]).includes(value)) continue
    fail(`${name} is ${JSON.stringify(value)}.`, `Choose "${choices.join('" or "')}".`)
  }
  const { prefix, clock } = options
  if (prefix !== undefined && (typeof prefix !== 'string' || /[{}\s]/.test(prefix) || prefix.length > 64)) {
    fail(
      'prefix is not a text of at most 64 characters without braces and spaces.',
      'Give a prefix such as "halt:" or "myapp:halt:".',
    )
  }
  if (clock !== undefined && clock !== 'server' && clock !== 'client' && typeof clock !== 'function') {
    fail(
      'clock is not "server", "client" or a function.',
      'Give one of them. The function returns Unix milliseconds.',
    )
  }
}

// Options of clients, by which many libraries connect. The store takes a client that the application has made.
const ADDRESSES = ['url', 'redisUrl', 'connectionString', 'host', 'port', 'redis']

function fixFor(unknown: string): string {
  if (!ADDRESSES.includes(unknown)) return `Its options are ${KNOWN.join(', ')}.`
  return 'Give it a client: new RedisStore({ client: new Redis(url) }) with ioredis, or { client: createClient({ url }) } with redis.'
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
