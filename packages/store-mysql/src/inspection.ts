import type { HaltWarning } from '@halt/core'

import type { Connections } from './connections.ts'
import type { Session } from './session.ts'
import { storeError, toStoreError } from './store-error.ts'
import { rowsOf, SERVER_NOW, type Table } from './table.ts'

const SLOW_MS = 25
// A busy process makes a round trip longer, never shorter, so the shortest of several measures the network.
const ROUND_TRIPS = 5
const TIMEOUT_MS = 5_000
// Five times the wait that the store sets.
const LONG_WAIT_S = 5

/** Tests the connection, the server and the table. Resolves to warnings of what should be changed, an empty list if all is well. */
export async function inspect(connections: Connections, table: Table): Promise<HaltWarning[]> {
  const warnings: HaltWarning[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(storeError(`no reply for ${TIMEOUT_MS / 1000} s`, 'timeout')), TIMEOUT_MS)
  })
  const look = connections.transaction((session, begin) => collectWarnings(session, begin, table, warnings))
  try {
    await Promise.race([look, timeout])
  } catch (error) {
    warnings.push(warningOf(error))
  } finally {
    clearTimeout(timer)
    look.catch(() => {})
  }
  return warnings
}

async function collectWarnings(
  session: Session,
  begin: () => void,
  table: Table,
  warnings: HaltWarning[],
): Promise<void> {
  const [settings = []] = rowsOf(await session.run('select @@version, @@innodb_lock_wait_timeout'))
  const [version, wait] = [String(settings[0]), Number(settings[1])]
  if (isOld(version)) warnings.push(old(version))
  if (wait > LONG_WAIT_S) warnings.push(longWait(wait))
  const name = `'${table.name.slice(1, -1)}'`
  const engines = `select engine from information_schema.tables where table_schema = database() and table_name = ${name}`
  const [[engine] = []] = rowsOf(await session.run(engines))
  if (engine !== undefined && String(engine) !== 'InnoDB') warnings.push(otherEngine(String(engine)))
  const trip = await shortestTrip(session)
  if (trip > SLOW_MS) warnings.push(slow(trip))
  // All that a check does, on a row that no counter has. A replica lets users with all rights write, so it also tells itself.
  begin()
  await session.run(table.make(['inspect']))
  await session.run(table.read(['inspect']))
  await session.run(table.removeOver(['inspect']))
  const [[isReadOnly] = []] = rowsOf(await session.run('select @@global.read_only'))
  if (!['0', 'OFF'].includes(String(isReadOnly))) warnings.push(REPLICA)
}

async function shortestTrip(session: Session): Promise<number> {
  let trip = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUND_TRIPS && trip > SLOW_MS; i++) {
    const started = performance.now()
    await session.run(`select ${SERVER_NOW}`)
    trip = Math.min(trip, performance.now() - started)
  }
  return trip
}

/** Whether a server has no `skip locked`: MySQL before 8.0.1, MariaDB before 10.6. */
function isOld(version: string): boolean {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  return /mariadb/i.test(version) ? major < 10 || (major === 10 && minor < 6) : major < 8
}

const REPLICA: HaltWarning = {
  code: 'HALT_W_REPLICA',
  message: 'The server is read-only, as a replica is, which cannot count.',
  fix: 'Connect to the primary, and set read_only off.',
}

function old(version: string): HaltWarning {
  return {
    code: 'HALT_W_STORE_MISCONFIGURED',
    message: `The server has the version ${version}, and cannot sweep ("skip locked").`,
    fix: 'Use MySQL 8.0, MariaDB 10.6, or newer.',
  }
}

function longWait(seconds: number): HaltWarning {
  return {
    code: 'HALT_W_STORE_MISCONFIGURED',
    message: `A statement waits up to ${seconds} s for a lock, although the store has set 1 s: something between it and the server resets sessions.`,
    fix: 'Set innodb_lock_wait_timeout to 1 for the user of the store, or let the proxy keep the variables of a session.',
  }
}

function otherEngine(engine: string): HaltWarning {
  return {
    code: 'HALT_W_STORE_SCHEMA',
    message: `The table has the engine ${engine}, which has no transactions.`,
    fix: 'Drop the table, and run the statement of store.schema().',
  }
}

function slow(trip: number): HaltWarning {
  return {
    code: 'HALT_W_STORE_SLOW',
    message: `A round trip to the database takes ${Math.round(trip)} ms, and a check needs five, or two if the pool has multipleStatements.`,
    fix: 'Move it nearer, or raise storeTimeout (100 ms) to several times that.',
  }
}

function warningOf(error: unknown): HaltWarning {
  const { message, failure, fix, code } = toStoreError(error)
  if (code === 'HALT_E_STORE_PERMISSION')
    return { code: 'HALT_W_PERMISSION', message: `The database refuses a check: ${message}.`, fix }
  if (code === 'HALT_E_STORE_SCHEMA')
    return { code: 'HALT_W_STORE_SCHEMA', message: `The table is missing or differs: ${message}.`, fix }
  if (code === 'HALT_E_STORE_READONLY') return { ...REPLICA, message: `${REPLICA.message} (${message})` }
  if (failure === 'script')
    return { code: 'HALT_W_STORE_SCRIPT', message: `The database fails to run a check: ${message}.`, fix }
  if (failure === 'misconfigured')
    return { code: 'HALT_W_STORE_MISCONFIGURED', message: `The database refuses to work: ${message}.`, fix }
  if (failure === 'full')
    return { code: 'HALT_W_STORE_FULL', message: `The database has no disk or memory left: ${message}.`, fix }
  return {
    code: 'HALT_W_STORE_UNAVAILABLE',
    message: `The database does not answer: ${message}.`,
    fix: `${fix} Until then policies decide by onStoreError.`,
  }
}
