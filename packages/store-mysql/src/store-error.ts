import { errorCode, type ErrorMeaning, errorText, StoreError, StoreMisread } from '@halt/core/store'

/** The kind of a {@link StoreError}. It chooses the failure, the code and the fix. */
export type ErrorKind =
  | 'timeout'
  | 'unavailable'
  | 'full'
  | 'readonly'
  | 'auth'
  | 'permission'
  | 'schema'
  | 'misconfigured'
  | 'script'

const KINDS: Readonly<Record<ErrorKind, ErrorMeaning>> = {
  timeout: [
    'timeout',
    'TIMEOUT',
    'Check whether the database hangs, or a transaction of the application holds the row of a counter.',
  ],
  unavailable: [
    'unavailable',
    'UNAVAILABLE',
    'Check that the database runs, is reachable and has a connection left. The pool connects again by itself.',
  ],
  full: ['full', 'OOM', 'Give the server more disk or memory.'],
  readonly: ['unavailable', 'READONLY', 'Connect to the primary, and set read_only off.'],
  auth: ['misconfigured', 'AUTH', 'Give the pool the right user name and password.'],
  permission: [
    'misconfigured',
    'PERMISSION',
    'Grant the user select, insert, update and delete on the table of the store.',
  ],
  schema: ['misconfigured', 'SCHEMA', 'Run the statement of store.schema().'],
  misconfigured: ['misconfigured', 'MISCONFIGURED', 'Correct the setting that the message names.'],
  script: ['script', 'SCRIPT', 'Please report this: the server cannot run a statement of Halt.'],
}

/** Makes the error of a call to the database. */
export function storeError(message: string, kind: ErrorKind, reply?: string): StoreError {
  return new StoreError(message, KINDS[kind], { reply })
}

/** A deadlock, of which the server has rolled one transaction back. */
export const DEADLOCK = '1213'

// By the number of the error, the same in MySQL and MariaDB.
const REPLIES: Readonly<Record<string, ErrorKind>> = {
  '1021': 'full',
  '1037': 'full',
  '1038': 'full',
  '1041': 'full',
  '1114': 'full',
  '1040': 'unavailable',
  // A node of Galera sends it while it is outside of its cluster.
  '1047': 'unavailable',
  '1053': 'unavailable',
  '1129': 'unavailable',
  '1203': 'unavailable',
  '1226': 'unavailable',
  '1317': 'unavailable',
  '1927': 'unavailable',
  // The server has closed a connection that was idle for too long.
  '4031': 'unavailable',
  '1044': 'permission',
  '1142': 'permission',
  '1143': 'permission',
  '1045': 'auth',
  '1130': 'auth',
  '1698': 'auth',
  '1862': 'auth',
  '1049': 'misconfigured',
  '1054': 'schema',
  '1146': 'schema',
  '1205': 'timeout',
  [DEADLOCK]: 'timeout',
  '1969': 'timeout',
  '3024': 'timeout',
  '1290': 'readonly',
  '1792': 'readonly',
  '1836': 'readonly',
}

/**
 * Turns any error of mysql2, or of a malformed reply, into a {@link StoreError}, whose `reply` is the number of the server's error. Returns
 * a StoreError as it is.
 *
 * The error of mysql2 is not kept, because it has the text of the statement, and with it the keys of clients.
 */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  if (error instanceof StoreMisread)
    return new StoreError(error.message, [error.failure, 'SCRIPT', error.fix])
  const text = errorText(error)
  const reply = replyOf(error)
  if (reply !== undefined) return storeError(text, REPLIES[reply] ?? 'script', reply)
  const isTimeout = /TIMEOUT|TIMEDOUT/.test(errorCode(error) ?? '')
  return storeError(text, isTimeout ? 'timeout' : 'unavailable')
}

/** The number of a server's error. Undefined for an error of the client or the network, which has no SQLSTATE. */
function replyOf(error: unknown): string | undefined {
  const { errno, sqlState } = (error ?? {}) as { errno?: unknown; sqlState?: unknown }
  return typeof errno === 'number' && typeof sqlState === 'string' ? `${errno}` : undefined
}
