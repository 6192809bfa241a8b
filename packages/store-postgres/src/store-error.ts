import { errorCode, type ErrorMeaning, errorText, replyType, StoreError } from '@halt/core/store'

/** The kind of a {@link StoreError}. It chooses the failure, the code and the fix. */
export type ErrorKind =
  | 'timeout'
  | 'unavailable'
  | 'full'
  | 'locks'
  | 'readonly'
  | 'auth'
  | 'permission'
  | 'schema'
  | 'pooler'
  | 'isolation'
  | 'misconfigured'
  | 'script'
  | 'newer'
  | 'unexpected-reply'

const KINDS: Readonly<Record<ErrorKind, ErrorMeaning>> = {
  timeout: [
    'timeout',
    'TIMEOUT',
    'Check whether PostgreSQL hangs, or a transaction of the application holds the lock of a counter.',
  ],
  unavailable: [
    'unavailable',
    'UNAVAILABLE',
    'Check that PostgreSQL runs, is reachable and has a connection left. The pool connects again by itself.',
  ],
  full: ['full', 'OOM', 'Give the server more disk or memory.'],
  locks: [
    'full',
    'OOM',
    'If its shared memory is used up, transactions hold too many locks: raise max_locks_per_transaction. Otherwise give the server more memory.',
  ],
  readonly: ['unavailable', 'READONLY', 'Connect to the primary, and set default_transaction_read_only off.'],
  auth: ['misconfigured', 'AUTH', 'Give the client the right user name and password.'],
  permission: [
    'misconfigured',
    'PERMISSION',
    'Grant the role usage on the schema, and select, insert, update and delete on its tables. limiter.ready() tells the statement.',
  ],
  schema: [
    'misconfigured',
    'SCHEMA',
    'Run schema.sql of the installed version of @halt/store-postgres, or the statements of schema().',
  ],
  pooler: [
    'misconfigured',
    'POOLER',
    'Give the store a query without named prepared statements, because the pooler changes connections between statements.',
  ],
  isolation: [
    'misconfigured',
    'MISCONFIGURED',
    'Set default_transaction_isolation of the role or the pool to "read committed".',
  ],
  misconfigured: ['misconfigured', 'MISCONFIGURED', 'Correct the setting that the message names.'],
  script: ['script', 'SCRIPT', 'Please report this: the server cannot run a function of Halt.'],
  newer: ['script', 'SCRIPT', 'Update Halt in all processes that share the store.'],
  'unexpected-reply': ['script', 'SCRIPT', 'Let query return the rows of the statement unchanged.'],
}

/** Makes the error of a call to PostgreSQL. */
export function storeError(message: string, kind: ErrorKind, reply?: string): StoreError {
  return new StoreError(message, KINDS[kind], { reply })
}

// By SQLSTATE, or by its class.
const REPLIES: Readonly<Record<string, ErrorKind>> = {
  '08': 'unavailable',
  '25006': 'readonly',
  '25P02': 'misconfigured',
  '26000': 'pooler',
  '28': 'auth',
  '3D000': 'misconfigured',
  '3F000': 'schema',
  '40001': 'isolation',
  '40P01': 'unavailable',
  '42501': 'permission',
  '42704': 'schema',
  '42703': 'schema',
  '42883': 'schema',
  '42P01': 'schema',
  '42P05': 'pooler',
  '53': 'unavailable',
  '53100': 'full',
  '53200': 'locks',
  '55P03': 'timeout',
  '57': 'unavailable',
  '57014': 'timeout',
  '58': 'unavailable',
  // Ours: sql/judge.sql.
  ZH001: 'newer',
}
// The server may have committed before the connection ended. It has not where it refused the connection.
const IN_DOUBT = /^(?:08(?!001|004)|57P(?!03))/

/** Turns any error of any client into a {@link StoreError}. Returns a StoreError as it is. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const text = errorText(error)
  const state = stateOf(error)
  if (state === undefined) {
    const failed = storeError(text, isTimeout(text) ? 'timeout' : 'unavailable')
    return wasSent(error, text) ? failed : Object.assign(failed, { unsent: true })
  }
  const kind = REPLIES[state] ?? REPLIES[state.slice(0, 2)] ?? 'script'
  return storeError(text, kind, IN_DOUBT.test(state) ? undefined : state)
}

/** The error for a reply that no function of Halt returns. It names the type of the reply, never its content. */
export function unexpectedReply(reply: unknown): StoreError {
  return storeError(`The function cannot have given this reply: ${replyType(reply)}`, 'unexpected-reply')
}

/** The SQLSTATE of an error. The codes of the operating system, such as ECONNREFUSED, are longer, or begin with an E. */
function stateOf(error: unknown): string | undefined {
  const code = errorCode(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code) ? code : undefined
}

/** Whether the statement may have reached the server. It has not if there was no connection for it. */
function wasSent(error: unknown, text: string): boolean {
  const { syscall, errors } = (error ?? {}) as { syscall?: unknown; errors?: unknown }
  // If a name resolves to several addresses, the error is an AggregateError of one for each.
  if (Array.isArray(errors) && errors.length > 0) return errors.some(each => wasSent(each, errorText(each)))
  if (syscall === 'connect' || syscall === 'getaddrinfo') return false
  return !NO_CONNECTION.test(text) && errorCode(error) !== 'CONNECT_TIMEOUT'
}

// The messages of pg where it has no connection for a statement.
const NO_CONNECTION =
  /^(?:timeout exceeded when trying to connect|Connection terminated due to connection timeout|Cannot use a pool after calling end|Client (?:was closed|has encountered a connection error) and is not queryable)/

function isTimeout(text: string): boolean {
  return /^(?:query read timeout|timeout exceeded)/i.test(text)
}
