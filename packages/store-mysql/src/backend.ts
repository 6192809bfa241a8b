import type { Transaction, TxBackend } from '@halt/core/store'

import type { Connections } from './connections.ts'
import type { Session } from './session.ts'
import { affectedBy, readFound, type Table } from './table.ts'

/** Hears how many rows a transaction made. */
type Passed = (made: number) => void

/**
 * The table as a database with transactions, for `txStore`.
 *
 * @param hasClock whether the server's clock decides
 */
export function backendOf(
  connections: Connections,
  table: Table,
  hasClock: boolean,
  passed: Passed,
): TxBackend {
  return {
    async transaction(work) {
      let made = 0
      const result = await connections.transaction((session, begin) => {
        made = 0
        return work(transactionOf(table, session, begin, hasClock, count => void (made += count)))
      })
      passed(made)
      return result
    },
    async remove(keys) {
      if (keys.length === 0) return 0
      const names = [...new Set(keys.map(key => table.nameOf(key)))].toSorted()
      return connections.transaction(async (session, begin) => {
        begin()
        return affectedBy(await session.run(table.remove(names)))
      })
    },
  }
}

function transactionOf(
  table: Table,
  session: Session,
  begin: () => void,
  hasClock: boolean,
  made: Passed,
): Transaction {
  return {
    async lock(keys, looks) {
      const names = new Map(keys.map(key => [table.nameOf(key), key]))
      // In the order of the names, because a digest sorts elsewhere than its key.
      const locked = [...names.keys()].filter(name => !looks.has(names.get(name)!)).toSorted()
      // A missing row cannot be locked.
      if (locked.length > 0) {
        begin()
        session.later(table.make(locked))
      }
      const { values, now } = readFound(await session.run(table.read([...names.keys()])))
      made(locked.filter(name => !values.has(name)).length)
      const found = new Map([...values].map(([name, value]) => [names.get(name) ?? name, value]))
      return hasClock ? { values: found, now } : { values: found }
    },
    async write(changes) {
      session.later(table.write(changes))
    },
  }
}
