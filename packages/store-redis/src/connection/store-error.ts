import { errorCode, type ErrorMeaning, errorText, inDoubt, StoreError } from '@halt/core/store'

/** The kind of a {@link StoreError}. It chooses the failure, the code and the fix. */
export type ErrorKind =
  | 'timeout'
  | 'unavailable'
  | 'readonly'
  | 'out-of-memory'
  | 'auth'
  | 'permission'
  | 'cluster'
  | 'misconfigured'
  | 'script'
  | 'newer'
  | 'unexpected-reply'
  | 'rest-token'
  | 'rest-url'
  | 'rest-budget'

const KINDS: Readonly<Record<ErrorKind, ErrorMeaning>> = {
  timeout: ['timeout', 'TIMEOUT', 'Check whether Redis hangs, or is too far away for the deadline.'],
  unavailable: [
    'unavailable',
    'UNAVAILABLE',
    'Check that Redis runs and is reachable. Halt connects again by itself.',
  ],
  readonly: ['unavailable', 'READONLY', 'Connect to the primary, or through Sentinel or Cluster.'],
  'out-of-memory': ['full', 'OOM', 'Raise maxmemory, or give Halt a Redis of its own.'],
  auth: ['misconfigured', 'AUTH', 'Give the client the right user name and password.'],
  permission: [
    'misconfigured',
    'PERMISSION',
    'Grant the user the keys ~halt:* and +evalsha +eval +get +mget +set +del +time, and +select for a database other than 0 (docs/redis.md has the whole line).',
  ],
  cluster: [
    'misconfigured',
    'CLUSTER',
    'Give the store a cluster client: new Cluster(…) or createCluster(…).',
  ],
  misconfigured: [
    'misconfigured',
    'MISCONFIGURED',
    'Correct the setting of the server or the key that the message names.',
  ],
  script: ['script', 'SCRIPT', 'Please report this: the server cannot run the script.'],
  newer: ['script', 'SCRIPT', 'Update Halt in all processes that share the store.'],
  'unexpected-reply': [
    'script',
    'SCRIPT',
    'Let run return the reply of the script unchanged, and open no MULTI on a connection that the store shares.',
  ],
  'rest-token': [
    'misconfigured',
    'AUTH',
    'Give upstash the standard REST token of this database. The read-only one cannot run scripts.',
  ],
  'rest-url': [
    'misconfigured',
    'MISCONFIGURED',
    "Give upstash the REST URL of the database. This address does not speak Upstash's REST protocol.",
  ],
  'rest-budget': [
    'unavailable',
    'UNAVAILABLE',
    'Wait until the requests of the plan are counted anew, or choose a larger plan.',
  ],
}

/** Makes the error of a call to Redis. */
export function storeError(message: string, kind: ErrorKind, reply?: string, cause?: unknown): StoreError {
  return new StoreError(message, KINDS[kind], { reply, cause })
}

// By the first word of the server's error.
const REPLIES: Readonly<Record<string, ErrorKind>> = {
  READONLY: 'readonly',
  OOM: 'out-of-memory',
  LOADING: 'unavailable',
  BUSY: 'unavailable',
  MASTERDOWN: 'unavailable',
  CLUSTERDOWN: 'unavailable',
  TRYAGAIN: 'unavailable',
  NOREPLICAS: 'unavailable',
  MISCONF: 'unavailable',
  STALE: 'unavailable',
  NEWER: 'newer',
  NOAUTH: 'auth',
  WRONGPASS: 'auth',
  NOPERM: 'permission',
  DENIED: 'misconfigured',
  NOPROTO: 'misconfigured',
  WRONGTYPE: 'misconfigured',
  CROSSSLOT: 'cluster',
  MOVED: 'cluster',
  ASK: 'cluster',
}

// By the text of the error, for first words such as ERR that tell nothing.
const DETAILS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/max number of clients/i, 'unavailable'],
  [/not allowed from script|after non deterministic/i, 'misconfigured'],
  [/can't run this command|no permissions?\b/i, 'permission'],
  [/invalid password|\bauth\b|without any password/i, 'auth'],
  [/unknown command|invalid db index|db index is out of range|cluster support disabled/i, 'misconfigured'],
]

/** Turns any error of any client into a {@link StoreError}. Returns a StoreError as it is. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const root = rootOf(error)
  const text = errorText(root)
  const reply = replyIn(root, text)
  if (reply === undefined) {
    const kind = isTimeout(root, text) ? 'timeout' : 'unavailable'
    const failed = storeError(text, kind, undefined, safeCause(root))
    return NOT_SENT.test(text) ? unsent(failed) : failed
  }
  const kind = REPLIES[reply] ?? DETAILS.find(([pattern]) => pattern.test(text))?.[1] ?? 'script'
  // A cluster client gives up redirections while the cluster changes. A plain client on a cluster is a mistake.
  const isChanging = kind === 'cluster' && (root !== error || GAVE_UP.test(text))
  return storeError(text, isChanging ? 'unavailable' : kind, reply)
}

/** The error of a call that was never sent, so the server has certainly not executed it. */
export function unsent(cause: StoreError): StoreError {
  return Object.assign(inDoubt(cause), { reply: cause.reply, unsent: true })
}

/** Whether the error says that the server does not know the script. */
export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

// What ioredis and node-redis say of a call that they did not send, because they saw before Halt that the connection was lost.
const NOT_SENT = /^(?:Stream isn't writeable and enableOfflineQueue|The client is (?:closed|offline)$)/

const GAVE_UP = /^Too many Cluster redirections/

// Cluster clients wrap the error that made them give up.
function rootOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { lastNodeError } = error as { lastNodeError?: unknown }
  if (lastNodeError instanceof Error) return lastNodeError
  return error.cause instanceof Error && error.message === 'Too many Cluster redirections'
    ? error.cause
    : error
}

function replyIn(error: unknown, text: string): string | undefined {
  // ioredis quotes the error that ended redirections. Redis 6 quotes the error of a command inside a script.
  const inner = /Last error: \w*Error: (.+)/s.exec(text)?.[1] ?? text
  const nested = /^ERR .*(?:user_script|script).*: -([A-Z]+) /s.exec(inner)?.[1]
  if (nested !== undefined && nested in REPLIES) return nested
  const word = /^-?([A-Z][A-Z0-9_]+)(?= |$)/.exec(inner)?.[1]
  return word === errorCode(error) ? undefined : word
}

// The command was sent and got no reply. A connection that cannot be made is "unavailable" instead.
function isTimeout(error: unknown, text: string): boolean {
  return (
    /^(?:command timed out|socket timeout)/i.test(text) ||
    (error as Error | undefined)?.constructor?.name === 'TimeoutError'
  )
}

const PLAIN = ['errno', 'code', 'syscall', 'address', 'port', 'hostname']

// ioredis attaches the command to some of its errors. Its arguments hold passwords and keys, which must not reach a log.
function safeCause(error: unknown): unknown {
  return error instanceof Error && Object.keys(error).every(name => PLAIN.includes(name)) ? error : undefined
}
