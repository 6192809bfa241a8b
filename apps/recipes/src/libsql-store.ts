// A store in libSQL: Turso, sqld, or a file. A write transaction locks the whole database, so there is one at a time.
import { type Change, type Store, txStore, type TxStoreOptions } from '@halt/core/store'
import type { Client, InStatement } from '@libsql/client'

export async function libsqlStore(client: Client, options: TxStoreOptions = {}): Promise<Store> {
  const { clock = Date.now } = options
  await client.execute(
    'create table if not exists halt_counters (k text primary key, v text not null, e integer not null) without rowid',
  )
  // JSON, because text in SQLite ends at a NUL.
  const namesOf = (keys: readonly string[]): string[] => keys.map(key => JSON.stringify(key))
  const among = (keys: readonly string[]): string => `k in (${keys.map(() => '?').join()})`
  return txStore(
    {
      async transaction(work) {
        const transaction = await client.transaction('write')
        try {
          const result = await work({
            async lock(keys) {
              const sql = `select k, v from halt_counters where ${among(keys)}`
              const { rows } = await transaction.execute({ sql, args: namesOf(keys) })
              return new Map(rows.map(({ k, v }) => [JSON.parse(k as string), JSON.parse(v as string)]))
            },
            async write(changes) {
              await transaction.batch([...changes.map(written), tidy(await clock())])
            },
          })
          await transaction.commit()
          return result
        } finally {
          transaction.close()
        }
      },
      async remove(keys) {
        const sql = `delete from halt_counters where ${among(keys)}`
        return (await client.execute({ sql, args: namesOf(keys) })).rowsAffected
      },
    },
    { kind: 'libsql', transactions: 1, ...options },
  )
}

function written({ key, value, expiresAt }: Change): InStatement {
  const k = JSON.stringify(key)
  if (value === undefined) return { sql: 'delete from halt_counters where k = ?', args: [k] }
  return {
    sql: 'insert into halt_counters values (?, ?, ?) on conflict (k) do update set v = excluded.v, e = excluded.e',
    args: [k, JSON.stringify(value), Math.ceil(expiresAt)],
  }
}

/** Removes some rows that have ended for a minute, behind one that is chosen at random: so each transaction tidies. */
function tidy(now: number): InStatement {
  const sql = `delete from halt_counters where e < ? and k in (
    select k from halt_counters where k > (select '"' || char(32 + abs(random() % 95))) order by k limit 8)`
  return { sql, args: [now - 60_000] }
}
