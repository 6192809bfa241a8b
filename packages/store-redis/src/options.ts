import { HaltError, type Warn } from '@halt/core'

import type { Run } from './connection/index.ts'

/** Options of {@link RedisStore}: a client or a runner, and where the keys go. */
export interface RedisStoreOptions {
  /** An ioredis or node-redis client: single, Cluster or Sentinel. It is never changed. */
  readonly client?: unknown
  /** Runs a script, where neither client fits. */
  readonly run?: Run | undefined
  /** Begins every key. Default `"halt:"`. */
  readonly prefix?: string | undefined
  /** Whose clock decides: the server's, this process's, or a function that gives Unix milliseconds. Default `"server"`. */
  readonly clock?: 'server' | 'client' | (() => number) | undefined
  /** A connection of the store's own, by `client.duplicate()`, or the client's. Default `"own"`. */
  readonly connection?: 'own' | 'shared' | undefined
  /** On a Cluster: one hash slot a subject, or one for all. Default `"per-subject"`. */
  readonly slots?: 'per-subject' | 'one' | undefined
  /** Gets each warning once. Default `process.emitWarning`. */
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
  const fields = (options ?? {}) as Record<string, unknown>
  if (typeof options !== 'object' || options === null || typeof fields['duplicate'] === 'function')
    fail('RedisStore got no options.', 'Give new RedisStore({ client }).')
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined)
    fail(`RedisStore has no option "${unknown}".`, `Its options are ${KNOWN.join(', ')}.`)
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = fields[name]
    if (value === undefined || (choices as readonly unknown[]).includes(value)) continue
    fail(`${name} is ${JSON.stringify(value)}.`, `Choose "${choices.join('" or "')}".`)
  }
  const { prefix, clock } = options
  if (prefix !== undefined && (typeof prefix !== 'string' || /[{}\s]/.test(prefix) || prefix.length > 64)) {
    fail(
      'prefix is no short text without braces and spaces.',
      'Give something like "halt:" or "myapp:halt:".',
    )
  }
  if (clock !== undefined && clock !== 'server' && clock !== 'client' && typeof clock !== 'function') {
    fail(
      'clock is neither a name nor a function.',
      'Give "server", "client", or a function of Unix milliseconds.',
    )
  }
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
