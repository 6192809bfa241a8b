import type { HaltWarning, Warn } from '@halt/core'
import { Heartbeat } from '@halt/core/store'

import { type Connection, toStoreError } from './connection/index.ts'
import type { Marks } from './marks.ts'
import { readText, readWholeNumber, unexpectedReply } from './reply-value.ts'
import { heartbeat } from './scripts.ts'

/** Makes a heartbeat that is kept in a sorted set of Redis. @param marks read in passing */
export function redisHeartbeat(
  connection: Connection,
  key: string,
  marks: Marks | undefined,
  warn: Warn,
): Heartbeat {
  return new Heartbeat({
    async send(id, ttl) {
      const mark = id === '' ? undefined : marks?.key
      const keys = mark === undefined ? [key] : [key, mark]
      const reply = await connection.run(heartbeat, keys, ['', id, String(ttl)])
      const [number, found] = Array.isArray(reply) ? (reply as unknown[]) : []
      const count = readWholeNumber(number)
      // A process that writes is one of those counted.
      if (count === undefined || (id !== '' && count < 1)) throw unexpectedReply(reply)
      if (keys.length > 1) marks!.heard(readText(found))
      return count
    },
    isReady: () => connection.ready,
    failed(error) {
      // The next check reports an outage, but only this reports a missing permission.
      const { failure, message } = toStoreError(error)
      if (failure === 'misconfigured') warn(permissionWarning(message))
    },
  })
}

/** Resolves to a warning if Redis forbids the heartbeat; undefined if it works, or if it is off. */
export async function inspectHeartbeat(beat: Heartbeat): Promise<HaltWarning | undefined> {
  if (!beat.isUsed) return undefined
  try {
    await beat.send()
  } catch (error) {
    const { failure, message } = toStoreError(error)
    if (failure !== 'misconfigured') throw error
    return permissionWarning(message)
  }
  return undefined
}

function permissionWarning(why: string): HaltWarning {
  return {
    code: 'HALT_W_PERMISSION',
    message: `Redis refuses to count the processes, so each of them takes the whole limit in an outage: ${why}.`,
    fix: 'Grant +zadd +zremrangebyscore +zcard +pexpire, or set the number of processes, such as instances: 4.',
  }
}
