import type { HaltWarning } from '@halt/core'
import { type Heartbeat, LOOK_GROUP, StoreError } from '@halt/core/store'

import { type Connection, storeError, toStoreError } from './connection/index.ts'
import { withKeepAliveTimeout } from './connection/timer.ts'
import { inspectHeartbeat } from './heartbeat.ts'
import { readReply } from './reply.ts'
import { readWholeNumber, unexpectedReply } from './reply-value.ts'
import { decide, probe } from './scripts.ts'
import { scriptCall } from './script-protocol.ts'

const EVICTS = /^allkeys-|^volatile-(lru|lfu|random)$/
const SLOW_MS = 25
// A busy process makes a round trip longer, never shorter, so the shortest of several measures the network.
const ROUND_TRIPS = 5
/** The longest that an inspection takes, milliseconds: the time to open a cluster, and a second. */
const TIMEOUT_MS = 5_000

/**
 * Tests the connection and the server. Resolves to warnings of what should be changed, an empty list if all is well. A test
 * that the user's permissions do not allow gives no warning.
 *
 * It keeps the process alive, because a program that awaits it before it listens has nothing else that would.
 */
export async function inspect(
  connection: Connection,
  key: string,
  clock: () => string,
  heartbeat: Heartbeat,
): Promise<HaltWarning[]> {
  const warnings: HaltWarning[] = []
  try {
    await withKeepAliveTimeout(
      TIMEOUT_MS,
      collectWarnings(connection, key, clock, heartbeat, warnings),
      timeoutError,
    )
  } catch (error) {
    warnings.push(warningOf(error))
  }
  return warnings
}

async function collectWarnings(
  connection: Connection,
  key: string,
  clock: () => string,
  heartbeat: Heartbeat,
  warnings: HaltWarning[],
): Promise<void> {
  await connection.opened
  await checkRoundTrip(connection, key, warnings)
  await ignoringErrors(checkEviction(connection, key, warnings))
  await ignoringErrors(checkRole(connection, key, warnings))
  await checkCommands(connection, key, clock, warnings)
  const uncounted = await inspectHeartbeat(heartbeat)
  if (uncounted !== undefined) warnings.push(uncounted)
}

async function checkRoundTrip(connection: Connection, key: string, warnings: HaltWarning[]): Promise<void> {
  let trip = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUND_TRIPS && trip > SLOW_MS; i++)
    trip = Math.min(trip, await roundTrip(connection, key))
  if (trip <= SLOW_MS) return
  warnings.push({
    code: 'HALT_W_STORE_SLOW',
    message: `A round trip to Redis takes ${Math.round(trip)} ms.`,
    fix: 'Move it nearer, or raise storeTimeout (100 ms) to several times that.',
  })
}

async function roundTrip(connection: Connection, key: string): Promise<number> {
  const started = performance.now()
  try {
    await connection.command(['PING'], key)
  } catch (error) {
    // A refusal by NOPERM is a reply, too.
    if (toStoreError(error).code !== 'HALT_E_STORE_PERMISSION') throw error
  }
  return performance.now() - started
}

async function checkEviction(connection: Connection, key: string, warnings: HaltWarning[]): Promise<void> {
  const memory = String(await connection.command(['INFO', 'memory'], key))
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? ''
  const isLimited = !/^maxmemory:0\s*$/m.test(memory)
  if (!isLimited || !EVICTS.test(policy)) return
  warnings.push({
    code: 'HALT_W_EVICTION',
    message: `Redis evicts keys by "${policy}" when it is full. An evicted counter starts at zero again.`,
    fix: 'Set maxmemory-policy to noeviction or volatile-ttl, or give Halt a Redis of its own.',
  })
}

async function checkRole(connection: Connection, key: string, warnings: HaltWarning[]): Promise<void> {
  const replication = String(await connection.command(['INFO', 'replication'], key))
  if (/^role:slave/m.test(replication)) warnings.push(REPLICA)
}

// Runs the commands of a check, on a key of its own, and reads the replies as a check does.
async function checkCommands(
  connection: Connection,
  key: string,
  clock: () => string,
  warnings: HaltWarning[],
): Promise<void> {
  try {
    const reply = await connection.run(probe, [key], [clock(), '1'])
    if (readWholeNumber(reply) !== 1) throw unexpectedReply(reply)
    const { keys, args } = scriptCall([LOOK_GROUP], () => key, '')
    const look = await connection.run(decide, keys, [clock(), ...args])
    const [answer] = readReply(look, [LOOK_GROUP], '')
    if (answer instanceof StoreError) throw answer
  } catch (error) {
    const { code, message, fix } = toStoreError(error)
    if (code === 'HALT_E_STORE_PERMISSION')
      warnings.push({
        code: 'HALT_W_PERMISSION',
        message: `Redis refuses a command of a check: ${message}.`,
        fix,
      })
    // If INFO is not permitted, only this error tells that the server is a replica.
    else if (code !== 'HALT_E_STORE_READONLY') throw error
    else if (!warnings.includes(REPLICA)) warnings.push(REPLICA)
  }
}

const REPLICA: HaltWarning = {
  code: 'HALT_W_REPLICA',
  message: 'The client is connected to a replica, which cannot count.',
  fix: 'Connect to the primary, or through Sentinel or Cluster.',
}

function warningOf(error: unknown): HaltWarning {
  const { message, failure, fix } = toStoreError(error)
  if (failure === 'script')
    return { code: 'HALT_W_STORE_SCRIPT', message: `Redis fails to run Halt's script: ${message}.`, fix }
  if (failure === 'misconfigured')
    return { code: 'HALT_W_STORE_MISCONFIGURED', message: `Redis refuses to work: ${message}.`, fix }
  if (failure === 'full')
    return { code: 'HALT_W_STORE_FULL', message: `Redis has no memory left: ${message}.`, fix }
  return {
    code: 'HALT_W_STORE_UNAVAILABLE',
    message: `Redis does not answer: ${message}.`,
    fix: `${fix} Until then policies decide by onStoreError.`,
  }
}

function timeoutError(): StoreError {
  return storeError(`no reply for ${TIMEOUT_MS / 1000} s`, 'timeout')
}

async function ignoringErrors(check: Promise<void>): Promise<void> {
  try {
    await check
  } catch {
    // INFO is often not permitted, and no check needs it.
  }
}
