import { Heartbeat } from '@halt/core/store'

import type { Connection } from './connection.ts'
import { columnOf } from './handle.ts'
import { inLaterTurns } from './lock.ts'

const PATIENCE_MS = 50

/**
 * Counts the processes of a role by their rows in the table of processes.
 *
 * @param role `counting`, or `obeying` the control document
 */
export function heartbeatOf(connection: Connection, role: string): Heartbeat {
  const { processes } = connection.tables
  const write = `insert into ${processes} values (?, ?, ?)
    on conflict (role, id) do update set seen_at = excluded.seen_at`
  // A row of the future is that of a process that has ended before the clock was set back.
  const drop = `delete from ${processes} where role = ? and (seen_at <= ? or seen_at > ?)`
  const count = `select count(*) as n from ${processes} where role = ? and seen_at > ? and seen_at <= ?`
  return new Heartbeat({
    send: (id, ttl) =>
      inLaterTurns(() => {
        const now = Date.now()
        const ends = [now - ttl, now] as const
        const read = (): number => Number(columnOf(connection.prepare(count).get(role, ...ends), 'n'))
        if (id === '') return connection.read(read)
        return connection.transaction(() => {
          connection.prepare(write).run(role, id, now)
          connection.prepare(drop).run(role, ...ends)
          return read()
        }, 0)
      }, PATIENCE_MS),
  })
}
