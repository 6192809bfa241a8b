import type { HaltWarning } from '@halt/core'
import { type Evaluation, type Group, LOOK_GROUP } from '@halt/core/store'

import { missingRights } from './rights.ts'
import { MOST_LOCKS } from './call.ts'
import type { Statements } from './statements.ts'
import { storeError, toStoreError } from './store-error.ts'

const SLOW_MS = 25
// A busy process makes a round trip longer, never shorter, so the shortest of several measures the network.
const ROUND_TRIPS = 5
const OLDEST_SERVER = 140_000
// For so many locks of each connection an unchanged server has room.
const STOCK_LOCKS = 64
const TIMEOUT_MS = 5_000

/** Tests the connection and the server. Resolves to warnings of what should be changed, an empty list if all is well. */
export async function inspect(
  statements: Statements,
  schema: string,
  evaluate: (group: Group) => Promise<Evaluation>,
): Promise<HaltWarning[]> {
  const warnings: HaltWarning[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(storeError(`no reply for ${TIMEOUT_MS / 1000} s`, 'timeout')), TIMEOUT_MS)
  })
  try {
    await Promise.race([collectWarnings(statements, schema, evaluate, warnings), timeout])
  } catch (error) {
    const { code } = toStoreError(error)
    const isTold = warnings.some(warning => warning.code === TOLD_BY[code])
    if (!isTold) warnings.push(warningOf(error))
  } finally {
    clearTimeout(timer)
  }
  return warnings
}

async function collectWarnings(
  statements: Statements,
  schema: string,
  evaluate: (group: Group) => Promise<Evaluation>,
  warnings: HaltWarning[],
): Promise<void> {
  const lacking = await missingRights(statements, schema)
  if (lacking !== undefined) warnings.push(lacking)
  const first = await settingsOf(statements, schema)
  const trip = await shortestTrip(statements)
  const second = await settingsOf(statements, schema)
  warnings.push(...CHECKS.filter(({ isWrong }) => isWrong(first, second)).map(({ warning }) => warning))
  if (trip > SLOW_MS) warnings.push(slow(trip))
  await statements.count('probe')
  await evaluate(LOOK_GROUP)
}

type Settings = Readonly<Record<string, unknown>>

async function settingsOf(statements: Statements, schema: string): Promise<Settings> {
  const text = `SELECT current_setting('server_version_num') AS version,
    (pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean)::text AS readonly,
    current_setting('default_transaction_isolation') AS isolation,
    current_setting('autovacuum') AS autovacuum,
    current_setting('max_locks_per_transaction') AS locks,
    (EXISTS (SELECT FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
        WHERE n.nspname = $1 AND f.proname = 'decide_v3' AND 'search_path=pg_catalog, pg_temp' = ANY (f.proconfig))
      AND (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND NOT a.attisdropped AND (c.relname, a.attname) IN (
          ('counters', 'key'), ('counters', 'state'), ('counters', 'fresh_at'), ('instances', 'seen'), ('documents', 'text'))
      ) = 5)::text AS installed,
    extract(epoch FROM now())::text AS started`
  const [settings] = await statements.rows(text, [schema])
  return settings ?? {}
}

async function shortestTrip(statements: Statements): Promise<number> {
  let trip = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUND_TRIPS && trip > SLOW_MS; i++) {
    const started = performance.now()
    await statements.rows('SELECT 1 AS one')
    trip = Math.min(trip, performance.now() - started)
  }
  return trip
}

interface SettingCheck {
  readonly isWrong: (first: Settings, second: Settings) => boolean
  readonly warning: HaltWarning
}

const CHECKS: readonly SettingCheck[] = [
  {
    isWrong: ({ installed }) => installed !== 'true',
    warning: {
      code: 'HALT_W_STORE_SCHEMA',
      message: 'The database does not have the tables and functions of this version of @halt/store-postgres.',
      fix: 'Run its schema.sql, or the statements of schema().',
    },
  },
  {
    isWrong: ({ readonly }) => readonly === 'true',
    warning: {
      code: 'HALT_W_REPLICA',
      message: 'The client is connected to a replica or a read-only database, which cannot count.',
      fix: 'Connect to the primary, and set default_transaction_read_only off.',
    },
  },
  {
    isWrong: ({ version }) => Number(version) < OLDEST_SERVER,
    warning: {
      code: 'HALT_W_STORE_MISCONFIGURED',
      message: 'The server is older than PostgreSQL 14.',
      fix: 'Use PostgreSQL 14 or newer.',
    },
  },
  {
    isWrong: ({ isolation }) => isolation !== 'read committed',
    warning: {
      code: 'HALT_W_STORE_MISCONFIGURED',
      message:
        'default_transaction_isolation is not "read committed", so concurrent checks of one key fail instead of waiting.',
      fix: 'Set it to "read committed" for the role or the pool of the store.',
    },
  },
  {
    // now() is the start of the transaction.
    isWrong: (first, second) => first['started'] === second['started'],
    warning: {
      code: 'HALT_W_STORE_MISCONFIGURED',
      message: 'The query of the store runs inside a transaction, which holds the locks of all its counters.',
      fix: 'Give the store a pool, not the client of a transaction.',
    },
  },
  {
    isWrong: ({ locks }) => Number(locks) < STOCK_LOCKS,
    warning: {
      code: 'HALT_W_STORE_MISCONFIGURED',
      message: `max_locks_per_transaction is less than ${STOCK_LOCKS}, and a statement of Halt holds up to ${MOST_LOCKS} locks, so they may fill the server's table of locks.`,
      fix: `Set max_locks_per_transaction of the server to ${STOCK_LOCKS} or more, and start it again.`,
    },
  },
  {
    isWrong: ({ autovacuum }) => autovacuum !== 'on',
    warning: {
      code: 'HALT_W_AUTOVACUUM',
      message: 'autovacuum is off, so the table of the counters grows without end.',
      fix: 'Switch autovacuum on, or vacuum the table by a job of your own.',
    },
  },
]

// The errors of a check that a warning of the settings has told already.
const TOLD_BY: Readonly<Record<string, string>> = {
  HALT_E_STORE_SCHEMA: 'HALT_W_STORE_SCHEMA',
  HALT_E_STORE_READONLY: 'HALT_W_REPLICA',
  HALT_E_STORE_PERMISSION: 'HALT_W_PERMISSION',
}

function slow(trip: number): HaltWarning {
  return {
    code: 'HALT_W_STORE_SLOW',
    message: `A round trip to PostgreSQL takes ${Math.round(trip)} ms.`,
    fix: 'Move it nearer, or raise storeTimeout (100 ms) to several times that.',
  }
}

function warningOf(error: unknown): HaltWarning {
  const { message, failure, fix, code } = toStoreError(error)
  if (code === 'HALT_E_STORE_PERMISSION')
    return { code: 'HALT_W_PERMISSION', message: `PostgreSQL refuses a check: ${message}.`, fix }
  if (code === 'HALT_E_STORE_SCHEMA')
    return { code: 'HALT_W_STORE_SCHEMA', message: `A table or a function is missing: ${message}.`, fix }
  if (failure === 'script')
    return { code: 'HALT_W_STORE_SCRIPT', message: `PostgreSQL fails to run a check: ${message}.`, fix }
  if (failure === 'misconfigured')
    return { code: 'HALT_W_STORE_MISCONFIGURED', message: `PostgreSQL refuses to work: ${message}.`, fix }
  if (failure === 'full')
    return {
      code: 'HALT_W_STORE_FULL',
      message: `PostgreSQL has no disk, memory or lock left: ${message}.`,
      fix,
    }
  return {
    code: 'HALT_W_STORE_UNAVAILABLE',
    message: `PostgreSQL does not answer: ${message}.`,
    fix: `${fix} Until then policies decide by onStoreError.`,
  }
}
