import type { Store } from '@halt/core/store'

import { type Call, COMMAND, ExitCode, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { type CliIo, coloursOf, print } from '../io.ts'
import { type Limits, loadLimits } from '../limits/limits-file.ts'
import { lineOfAddress, type StoreAddress, warningOfAddress } from './store-address.ts'
import { withMysql } from './mysql.ts'
import { withPostgres } from './postgres.ts'
import { withRedis } from './redis.ts'
import { withSqlite } from './sqlite.ts'

/** The options of every command that asks a store. */
export const storeFlags: Readonly<Record<string, Flag>> = {
  redis: {
    value: 'url',
    help: 'The Redis of the limiters: redis://…, rediss://…. Default: $HALT_REDIS_URL.',
  },
  postgres: {
    value: 'url',
    help: 'Their PostgreSQL instead: postgres://…. Default: $HALT_POSTGRES_URL.',
  },
  mysql: {
    value: 'url',
    help: 'Their MySQL or MariaDB instead: mysql://…. Default: $HALT_MYSQL_URL.',
  },
  sqlite: { value: 'file', help: 'Their file of SQLite instead: limits.db. Default: $HALT_SQLITE_FILE.' },
  schema: { value: 'name', help: 'The schema in PostgreSQL. Default "halt".' },
  table: { value: 'name', help: 'The table in MySQL. Default "halt_counters".' },
  prefix: {
    value: 'text',
    help: 'The prefix of the store. Default: that of settings in the limits file, else "halt:" on Redis, "" on PostgreSQL and "halt_" on SQLite.',
  },
}

/** The option of every command that can read the limits. */
export const limitsFlag: Readonly<Record<string, Flag>> = {
  policy: {
    value: 'module',
    help: 'The limits: a module of JavaScript or TypeScript that exports policies or options of a RateLimiter, and perhaps plans and settings.',
  },
}

/** Refuses a call without the limits file. @param example the call, without its options @throws HaltError `HALT_E_COMMAND` */
export function needLimits(call: Call, example: string): void {
  if (valueOf(call, 'policy') !== undefined) return
  throw commandError(
    `halt ${example.split(' ')[0]} got no --policy.`,
    `Write: ${COMMAND} ${example} --policy limits.ts --redis redis://localhost:6379`,
  )
}

/** A store that a command asks, and the limits file of `--policy`. */
export interface Opened {
  /** It does not count this process among those that share the limits. */
  readonly store: Store & Pick<Required<Store>, 'document'>
  readonly address: StoreAddress
  readonly limits: Limits | undefined
}

/**
 * Opens the store of a command, prints which one it is, and calls `use`, whose result is the exit code. If no process uses the store
 * under its prefix, the exit code is 3, whatever `use` found.
 *
 * @throws HaltError `HALT_E_COMMAND` without an address; `HALT_E_REDIS_CLIENT`, `HALT_E_STORE_UNAVAILABLE`, `HALT_E_POLICY_MODULE`
 */
export async function withStore(
  call: Call,
  io: CliIo,
  use: (opened: Opened) => Promise<number>,
): Promise<number> {
  const module = valueOf(call, 'policy')
  const limits = module === undefined ? undefined : await loadLimits(module, io.cwd)
  return open(call, io, limits?.settings.prefix, async (store, find) => {
    const address = withLimits(await find(), limits)
    // Data on standard output stays data.
    if (call.flags['json'] === true) io.stderr.write(`${lineOfAddress(address)}\n`)
    else await print(io, [coloursOf(io, io.stdout).dim(lineOfAddress(address))])
    const code = await use({ store: uncounted(store), address, limits })
    if (address.processes !== 0) return code
    io.stderr.write(`${coloursOf(io, io.stderr).yellow('Warning:')} ${warningOfAddress(address)}\n`)
    return ExitCode.FAILED
  })
}

type Found = Store & Pick<Required<Store>, 'document'>

async function open(
  call: Call,
  io: CliIo,
  prefixOfFile: string | undefined,
  use: (store: Found, address: () => Promise<StoreAddress>) => Promise<number>,
): Promise<number> {
  const prefix = valueOf(call, 'prefix') ?? prefixOfFile
  const found = addressOf(call, io)
  if (found === undefined)
    throw commandError(
      'There is no address of a store.',
      'Give --redis redis://localhost:6379, --postgres postgres://localhost/app, --mysql mysql://localhost/app or --sqlite limits.db, or set HALT_REDIS_URL, HALT_POSTGRES_URL, HALT_MYSQL_URL or HALT_SQLITE_FILE.',
    )
  const { kind, address } = found
  if (kind === 'redis') return withRedis(address, prefix, io, opened => use(opened.store, opened.address))
  if (kind === 'mysql')
    return withMysql(address, valueOf(call, 'table'), io, opened => use(opened.store, opened.address))
  if (kind === 'sqlite') return withSqlite(address, prefix, io, opened => use(opened.store, opened.address))
  return withPostgres(address, { prefix, schema: valueOf(call, 'schema') }, io, opened =>
    use(opened.store, opened.address),
  )
}

const VARIABLES = {
  redis: 'HALT_REDIS_URL',
  postgres: 'HALT_POSTGRES_URL',
  mysql: 'HALT_MYSQL_URL',
  sqlite: 'HALT_SQLITE_FILE',
} as const
const KINDS = Object.keys(VARIABLES) as readonly (keyof typeof VARIABLES)[]

/**
 * The kind and the address of the store that a command asks; undefined if none is given. An option of the command line wins over the
 * environment.
 *
 * @throws HaltError `HALT_E_COMMAND` if the command line gives two kinds
 */
export function addressOf(
  call: Call,
  { env }: CliIo,
): { readonly kind: keyof typeof VARIABLES; readonly address: string } | undefined {
  const given = KINDS.filter(kind => valueOf(call, kind) !== undefined)
  if (given.length > 1)
    throw commandError(`--${given[0]} and --${given[1]} are both given.`, 'Give one of them.')
  const kind = given[0] ?? KINDS.find(each => Boolean(env[VARIABLES[each]]))
  const address = kind && (valueOf(call, kind) ?? env[VARIABLES[kind]])
  return kind && address ? { kind, address } : undefined
}

/** Processes whose limiters have a number for `instances` send no signs of life. */
function withLimits(address: StoreAddress, limits: Limits | undefined): StoreAddress {
  const isSilent = limits?.plans.some(({ settings }) => typeof settings.instances === 'number') === true
  return address.processes === 0 && isSilent ? { ...address, processes: undefined } : address
}

/** The store without the method by which limiters make it count this process. */
function uncounted(store: Found): Opened['store'] {
  return {
    kind: store.kind ?? 'custom',
    evaluate: group => store.evaluate(group),
    forget: counters => store.forget(counters),
    document: name => store.document(name),
  }
}
