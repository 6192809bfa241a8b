import { HaltError } from '@halt/core'

import type { LocationHint, ObjectNamespace } from './platform.ts'

/** Options of {@link DurableObjectStore}. */
export interface DurableObjectStoreOptions {
  /** The binding to `HaltCounters`: `env.HALT`, or one of its jurisdictions. */
  readonly namespace: ObjectNamespace
  /**
   * Which object holds the counters of a subject: one of its own, one of this many shards, or the one whose name a function
   * gives. A group whose counters are in one object is decided at one instant. Default `"per-subject"`.
   */
  readonly objects?: 'per-subject' | number | ((subject: string) => string) | undefined
  /** The start of every object's name. Default `"halt:"`. */
  readonly prefix?: string | undefined
  /** Where new objects are created. Default: near the first request. */
  readonly locationHint?: LocationHint | undefined
  /**
   * `waitUntil` of `cloudflare:workers`. The platform ends calls that are pending when a response has been sent. This lets refunds and
   * releases after a response finish.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Returns Unix milliseconds, for tests. Default: the clock of each object decides. */
  readonly clock?: (() => number) | undefined
}

const KNOWN = ['namespace', 'objects', 'prefix', 'locationHint', 'waitUntil', 'clock']
const MOST_SHARDS = 65_536

/**
 * Checks the options.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 */
export function checkOptions(options: DurableObjectStoreOptions): void {
  if (typeof options !== 'object' || options === null || 'idFromName' in options)
    fail('DurableObjectStore got no options.', 'Give new DurableObjectStore({ namespace: env.HALT }).')
  const fields = options as unknown as Readonly<Record<string, unknown>>
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined)
    fail(`DurableObjectStore has no option "${unknown}".`, `Its options are ${KNOWN.join(', ')}.`)
  const { namespace, objects, prefix, waitUntil, clock } = options
  if (typeof namespace?.idFromName !== 'function' || typeof namespace.get !== 'function')
    fail(
      'namespace is not a binding to Durable Objects.',
      'Bind HaltCounters in the configuration of the Worker, and give namespace: env.HALT.',
    )
  if (!isPlacement(objects))
    fail(
      `objects is ${JSON.stringify(objects) ?? typeof objects}.`,
      `Give "per-subject", a whole number from 1 to ${MOST_SHARDS}, or a function that gives a name.`,
    )
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix.length > 64))
    fail('prefix is not a text of at most 64 characters.', 'Give a prefix such as "halt:" or "staging:".')
  if (waitUntil !== undefined && typeof waitUntil !== 'function')
    fail('waitUntil is not a function.', "Give that of import { waitUntil } from 'cloudflare:workers'.")
  if (clock !== undefined && typeof clock !== 'function')
    fail('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
}

function isPlacement(objects: unknown): boolean {
  if (objects === undefined || objects === 'per-subject' || typeof objects === 'function') return true
  return Number.isInteger(objects) && (objects as number) >= 1 && (objects as number) <= MOST_SHARDS
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
